"""A worker that is killed while a rule deletes: every record that is due goes once, and each is accounted for."""

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select

from crm.contacts.models import Contact
from tenants.access.caller import SYSTEM, act_as
from tenants.audit.models import AuditEvent
from tenants.foundation.children import Child
from tenants.foundation.clock import now
from tenants.foundation.identifiers import new_id
from tenants.isolation.door import db, inside
from tenants.jobs.models import Job, JobState
from tenants.retention.jobs import run_retention_rules
from tests.tenants.retention.world import contact, events, rule
from tests.workspace import Workspace

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]
RECORDS = 5_000
WITHIN_SECONDS = 500


@pytest.mark.usefixtures("app")
def test_a_rule_whose_worker_is_killed_twice_deletes_each_record_once(
    new_workspace: Callable[[], Workspace], processes: dict[str, Child]
) -> None:
    ours, neighbour = new_workspace(), new_workspace()
    young, theirs = contact(ours), contact(neighbour)
    _fill(ours)
    rule(ours)
    with inside(ours.home):
        act_as(SYSTEM)
        job_id = run_retention_rules.later()
    killed: list[int] = []
    until = time.monotonic() + WITHIN_SECONDS
    while time.monotonic() < until:
        with inside(ours.home):
            state = db().get_one(Job, job_id).state
            left = db().scalar(select(func.count()).select_from(Contact)) or 0
        if JobState(state).finished:
            break
        if len(killed) < 2 and 1 < left < (killed[-1] if killed else RECORDS + 1):
            killed.append(left)
            processes["worker"].kill()
            processes["worker"].start()
        time.sleep(0.05)
    assert (state, len(killed)) == (JobState.SUCCEEDED, 2)
    executed = events(ours, "retention-rules.executed")
    assert sum(each["changes"]["count"][0] for each in executed) == RECORDS
    with inside(ours.home):
        assert [str(each) for each in db().scalars(select(Contact.id))] == [young]
        deleted = select(func.count()).select_from(AuditEvent).where(AuditEvent.action == "contacts.deleted")
        assert db().scalar(deleted) == RECORDS
    assert neighbour.admin.get(f"/contacts/{theirs}").status_code == 200


def _fill(workspace: Workspace) -> None:
    moment = now() - timedelta(days=400)
    same = {"source": "api", "created_at": moment, "updated_at": moment, "do_not_contact": False, "tags": []}
    rows = [{"id": new_id(), "last_name": f"Old {n}", "lifecycle": "lead", **same} for n in range(RECORDS)]
    with inside(workspace.home, patience_seconds=60):
        db().execute(insert(Contact.__table__), rows)
