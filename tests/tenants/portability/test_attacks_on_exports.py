"""Attacks on exports: past the second person, past the last download, past the hour, and on what was just made."""

from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from sqlalchemy import select

from tenants.access.caller import SYSTEM, act_as
from tenants.identity.models import Role, UserRole
from tenants.isolation.door import db, inside
from tenants.isolation.storage import TenantStorage
from tenants.portability.exporting import expire_exports
from tests.jobs import RunJobs
from tests.workspace import Workspace, in_both

NIGHTLY = {"name": "Nightly", "cron": "0 2 * * *"}


@pytest.fixture
def two_admins(new_workspace: Callable[[], Workspace]) -> Workspace:
    """A tenant whose manager is a second admin."""
    tenant = new_workspace()
    with inside(tenant.home):
        act_as(SYSTEM)
        admin = db().scalars(select(Role.id).where(Role.name == "admin")).one()
        db().add(UserRole(user_id=tenant.manager.user_id, role_id=admin))
    return tenant


def ask_for_a_second_word(tenant: Workspace) -> None:
    assert tenant.admin.in_person.put("/export-rules", {"second_approver": True}).status_code == 200


def test_no_schedule_from_before_is_turned_to_where_nobody_approved_it(
    two_admins: Workspace, neighbour: Workspace
) -> None:
    path = f"/export-schedules/{two_admins.admin.post('/export-schedules', NIGHTLY).json['id']}"
    ask_for_a_second_word(two_admins)
    before = two_admins.admin.get(path).json
    key = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
    for change in (
        {"cron": "0 * * * *"},
        {"zone": "Asia/Tokyo"},
        {"encrypt_to": [key]},
        {"access_key_id": "x"},
    ):
        refused = two_admins.admin.patch(path, change | {"name": "Harmless"})
        assert (refused.status_code, refused.json["code"]) == (409, "needs_approval")
    assert two_admins.admin.get(path).json == before
    assert two_admins.admin.patch(path, {"name": "Every night", "keep": 3}).status_code == 200
    assert neighbour.admin.patch(path, {"name": "Mine"}).status_code == 404


def test_no_program_gives_the_second_persons_word_or_does_without_it(
    two_admins: Workspace, neighbour: Workspace, run_jobs: RunJobs
) -> None:
    ask_for_a_second_word(two_admins)
    path = f"/exports/{two_admins.admin.post('/exports', {}).json['id']}"
    for answer in (
        two_admins.manager.put(f"{path}/approval", {"approved": True}),
        two_admins.admin.put("/export-rules", {"second_approver": False}),
    ):
        assert (answer.status_code, answer.json["code"]) == (403, "needs_session")
    run_jobs()
    assert two_admins.admin.get(path).json["status"] == "waiting"
    assert two_admins.admin.get("/export-rules").json == {"second_approver": True}
    assert neighbour.admin.in_person.put(f"{path}/approval", {"approved": True}).status_code == 404


def test_of_many_who_take_the_last_download_one_gets_it_and_who_only_asks_uses_none_up(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs
) -> None:
    tenant = new_workspace()
    made = tenant.admin.post("/exports", {"downloads_left": 1}).json["id"]
    run_jobs()
    path = f"/exports/{made}/download"
    asked = tenant.admin.request("HEAD", path)
    assert (asked.status_code, asked.data, int(asked.headers["Content-Length"]) > 0) == (200, b"", True)
    assert neighbour.admin.request("HEAD", path).status_code == 404
    taken: list[int] = []
    together = Barrier(4)

    def take() -> None:
        together.wait()
        answer = tenant.admin.get(path, headers={"Range": "bytes=0-"})
        taken.append(answer.status_code)

    threads = [Thread(target=take) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(taken) == [200, 409, 409, 409]
    assert tenant.admin.request("HEAD", path).status_code == 409


@pytest.mark.parametrize("cron", ["0 0 31 2 *", "0 0 30 2 *", "R * * * *", "0 R(2-4) * * *", "h h * * *"])
def test_no_cron_line_names_a_day_that_never_comes_or_one_that_is_drawn(
    acme: Workspace, neighbour: Workspace, cron: str
) -> None:
    refused = acme.admin.post("/export-schedules", NIGHTLY | {"cron": cron})
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["cron"])
    assert in_both("/export-schedules", acme.admin, neighbour.admin) == []


def test_an_export_that_is_finished_while_others_are_swept_stays(
    new_workspace: Callable[[], Workspace],
    neighbour: Workspace,
    run_jobs: RunJobs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run_jobs()  # what others left: a transaction is open while the export is made
    tenant, listed, made = new_workspace(), TenantStorage.list, []

    def meanwhile(storage: TenantStorage, folder: str = "") -> list[str]:
        """The sweep has asked for some of what it wants to know when somebody asks for an export, and it is made."""
        if not made:
            made.append("")
            thread = Thread(target=lambda: made.append(tenant.admin.post("/exports", {}).json["id"]))
            thread.start()
            thread.join()
            thread = Thread(target=run_jobs)
            thread.start()
            thread.join()
        return list(listed(storage, folder))

    with monkeypatch.context() as patched, inside(tenant.home):
        patched.setattr(TenantStorage, "list", meanwhile)
        act_as(SYSTEM)
        expire_exports()
    answer = tenant.admin.get(f"/exports/{made[-1]}/download")
    assert (answer.status_code, answer.data[:2]) == (200, b"PK")
    assert neighbour.admin.get(f"/exports/{made[-1]}/download").status_code == 404
