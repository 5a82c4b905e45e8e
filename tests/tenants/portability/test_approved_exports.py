"""Exports that wait for a second person's word, and exports that can be downloaded once."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.identity.models import Role, User, UserRole
from tenants.isolation.door import db, inside
from tenants.isolation.files import files
from tenants.portability.exporting import expire_exports
from tenants.portability.models import Export
from tests.jobs import RunJobs
from tests.mails import posted
from tests.workspace import Workspace


@pytest.fixture
def careful(new_workspace: Callable[[], Workspace]) -> Workspace:
    """A tenant whose manager is a second admin, and that asks for a second word on exports."""
    tenant = new_workspace()
    with inside(tenant.home):
        act_as(SYSTEM)
        admin = db().scalars(select(Role.id).where(Role.name == "admin")).one()
        db().add(UserRole(user_id=tenant.manager.user_id, role_id=admin))
    assert tenant.admin.in_person.put("/export-rules", {"second_approver": True}).json == {
        "second_approver": True
    }
    return tenant


@pytest.mark.promise("EXP-5")
def test_an_export_waits_for_another_admin_and_is_made_once_they_approve(
    careful: Workspace, neighbour: Workspace, run_jobs: RunJobs
) -> None:
    asked = careful.admin.post("/exports", {"note": "For the auditor"}).json
    path = f"/exports/{asked['id']}"
    assert (asked["status"], asked["job_id"]) == ("waiting", None)
    run_jobs()
    assert careful.admin.get(path).json["status"] == "waiting"
    assert careful.admin.get(f"{path}/download").json["code"] == "export_not_ready"
    own = careful.admin.in_person.put(f"{path}/approval", {"approved": True})
    assert (own.status_code, own.json["code"]) == (403, "own_request")
    for stranger in (neighbour.admin, careful.sales):
        assert stranger.in_person.put(f"{path}/approval", {"approved": True}).status_code in (403, 404)
    assert neighbour.admin.in_person.put(f"{path}/approval", {"approved": True}).status_code == 404
    approved = careful.manager.in_person.put(f"{path}/approval", {"approved": True, "note": "Fine"}).json
    assert (approved["approval"], approved["decided_by_id"]) == ("approved", str(careful.manager.user_id))
    run_jobs()
    assert careful.admin.get(path).json["status"] == "succeeded"
    assert careful.admin.get(f"{path}/download").status_code == 200
    assert (
        careful.manager.in_person.put(f"{path}/approval", {"approved": False}).json["code"] == "not_waiting"
    )
    events = careful.admin.get(f"/audit-events?record_id={asked['id']}&sort=at").json["data"]
    (word,) = [each for each in events if each["changes"].get("approval") == ["waiting", "approved"]]
    assert word["actor_id"] == str(careful.manager.user_id)


def test_what_was_refused_or_not_approved_in_time_is_never_made(
    careful: Workspace, neighbour: Workspace, run_jobs: RunJobs
) -> None:
    refused, late = (careful.admin.post("/exports", {}).json["id"] for _ in range(2))
    said = careful.manager.in_person.put(
        f"/exports/{refused}/approval", {"approved": False, "note": "Why?"}
    ).json
    assert (said["status"], said["decision_note"]) == ("refused", "Why?")
    with inside(careful.home):
        past = update(Export.__table__).where(Export.__table__.c.id == late)
        db().connection().execute(past.values(approve_by=now() - timedelta(seconds=1)))
    too_late = careful.manager.in_person.put(f"/exports/{late}/approval", {"approved": True})
    assert (too_late.status_code, too_late.json["code"]) == (409, "export_expired")
    run_jobs()
    assert [careful.admin.get(f"/exports/{each}").json["status"] for each in (refused, late)] == [
        "refused",
        "expired",
    ]
    with inside(careful.home):
        assert list(files().list()) == []
    assert neighbour.admin.get("/export-rules").json == {"second_approver": False}


def test_the_other_admins_hear_of_it_and_the_rule_needs_one(
    careful: Workspace, new_workspace: Callable[[], Workspace], neighbour: Workspace
) -> None:
    careful.admin.post("/exports", {"purpose": "sharing", "recipient": "Auditors"})
    careful.admin.in_person.put("/export-rules", {"second_approver": False})
    with inside(careful.home):
        address = db().get_one(User, careful.manager.user_id).email
    mails = posted(careful, address)
    assert [each.subject for each in mails][-2:] == [
        "An export waits for your approval",
        "The rules for exports were changed",
    ]
    assert "Auditors" in mails[-2].text
    alone = new_workspace().admin.in_person.put("/export-rules", {"second_approver": True})
    assert (alone.status_code, alone.json["code"]) == (409, "nobody_to_approve")
    for client in (careful.sales, neighbour.read_only):
        assert client.in_person.put("/export-rules", {"second_approver": True}).status_code == 403


def test_an_export_for_one_download_is_gone_after_it(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs
) -> None:
    tenant = new_workspace()
    made = tenant.admin.post("/exports", {"downloads_left": 1}).json["id"]
    run_jobs()
    assert neighbour.admin.get(f"/exports/{made}/download").status_code == 404
    first = tenant.admin.get(f"/exports/{made}/download")
    assert (first.status_code, first.data[:2]) == (200, b"PK")
    again = tenant.admin.get(f"/exports/{made}/download")
    assert (again.status_code, again.json["code"]) == (409, "export_used_up")
    assert tenant.admin.get(f"/exports/{made}").json["status"] == "expired"
    with inside(tenant.home):
        act_as(SYSTEM)
        assert expire_exports() == 1
    with inside(tenant.home):
        assert list(files().list()) == []
    for wrong in (0, -1, "one", 10**9):
        assert tenant.admin.post("/exports", {"downloads_left": wrong}).status_code == 422
