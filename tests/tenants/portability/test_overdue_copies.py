"""A copy is overdue by what was planned when it should have come, and by nothing that was planned later."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.isolation.door import db, inside
from tenants.portability import jobs, watching
from tenants.portability.models import ExportSchedule
from tenants.portability.watching import tell_of_trouble
from tests.jobs import RunJobs, recurs_now
from tests.mails import Letterbox
from tests.workspace import Workspace

NewWorkspace = Callable[[], Workspace]
ATTENTION = "A scheduled export needs your attention"


def told(workspace: Workspace) -> int:
    with inside(workspace.home):
        act_as(SYSTEM)
        return tell_of_trouble()


def set_back(workspace: Workspace, schedule_id: str, **moments: datetime) -> None:
    with inside(workspace.home):
        act_as(SYSTEM)
        schedule = db().get_one(ExportSchedule, schedule_id)
        for name, moment in moments.items():
            setattr(schedule, name, moment)


@pytest.fixture
def weekly(new_workspace: NewWorkspace) -> tuple[Workspace, str]:
    """A schedule whose moment of this week was two days ago; its latest copy is of yesterday."""
    tenant, moment = new_workspace(), now() - timedelta(days=2, hours=8)
    said = {"name": "Weekly", "cron": f"0 {moment.hour} * * {moment.isoweekday() % 7}", "zone": "UTC"}
    made = tenant.admin.post("/export-schedules", said)
    assert made.status_code == 201, made.json
    set_back(
        tenant, made.json["id"],
        created_at=now() - timedelta(days=20), last_succeeded_at=now() - timedelta(days=1),
    )  # fmt: skip
    return tenant, made.json["id"]


def daily() -> dict[str, str]:
    """A line whose moment of today was eight hours ago."""
    return {"cron": f"0 {(now() - timedelta(hours=8)).hour} * * *"}


def test_a_moment_before_a_schedule_was_planned_so_is_not_owed(
    weekly: tuple[Workspace, str], neighbour: Workspace
) -> None:
    tenant, schedule_id = weekly
    assert told(tenant) == 0
    path = f"/export-schedules/{schedule_id}"
    assert neighbour.admin.patch(path, daily()).status_code == 404
    assert tenant.admin.patch(path, daily()).status_code == 200
    assert told(tenant) == 0
    assert tenant.admin.patch(path, {"zone": "Asia/Kathmandu"}).status_code == 200
    assert (told(tenant), told(neighbour)) == (0, 0)


def test_a_moment_since_then_is_owed_and_saying_the_same_again_puts_nothing_off(
    weekly: tuple[Workspace, str], neighbour: Workspace
) -> None:
    tenant, schedule_id = weekly
    path, line = f"/export-schedules/{schedule_id}", daily()
    assert tenant.admin.patch(path, line).status_code == 200
    set_back(tenant, schedule_id, planned_at=now() - timedelta(hours=20))
    for harmless in (line, {"zone": "UTC"}, {"name": "Nightly"}, {"keep": 3}):
        assert tenant.admin.patch(path, harmless).status_code == 200
    assert (told(neighbour), told(tenant), told(tenant)) == (0, 1, 0)


@pytest.mark.promise("EXP-2", "4-24")
def test_admins_get_a_mail_of_an_overdue_copy_within_the_hour(
    weekly: tuple[Workspace, str], neighbour: Workspace, run_jobs: RunJobs, letterbox: Letterbox
) -> None:
    tenant, schedule_id = weekly
    address = tenant.admin.get("/me").json["user"]["email"]
    elsewhere = neighbour.admin.get("/me").json["user"]["email"]

    def told_within_the_hour(to: str) -> list[str]:
        for each in (tenant, neighbour):
            recurs_now(each.home, jobs.watch)
        run_jobs()
        return [each for each in letterbox.texts(to, ATTENTION) if schedule_id in each]

    assert told_within_the_hour(address) == []
    set_back(tenant, schedule_id, last_succeeded_at=now() - timedelta(days=8))
    (text,) = told_within_the_hour(address)
    assert 'The scheduled export "Weekly" is overdue since ' in text
    assert told_within_the_hour(address) == [text]
    assert told_within_the_hour(elsewhere) == []
    (notice,) = tenant.admin.get("/notices?kind=export-schedules.troubled").json["data"]
    assert text.startswith(notice["text"])


def test_a_copy_of_the_first_two_oclock_is_not_overdue_by_the_second(
    new_workspace: NewWorkspace, neighbour: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = new_workspace()
    said = {"name": "Nightly", "cron": "0 2 * * *", "zone": "Europe/Vienna"}
    made = tenant.admin.post("/export-schedules", said).json["id"]
    copied = datetime(2025, 10, 26, 0, 3, tzinfo=UTC)
    set_back(tenant, made, created_at=copied - timedelta(days=20), last_succeeded_at=copied)
    for moment, expected in ((copied + timedelta(hours=9), 0), (copied + timedelta(hours=32), 1)):
        monkeypatch.setattr(watching, "now", lambda at=moment: at)
        assert (told(tenant), told(neighbour)) == (expected, 0)
