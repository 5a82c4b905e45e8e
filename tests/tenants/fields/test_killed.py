"""A worker that is killed while a field is deleted: every value goes once, and each is on record."""

import time
from collections.abc import Callable

import pytest
from sqlalchemy import func, insert, select

from crm.contacts.models import Contact
from tenants.audit.models import AuditEvent
from tenants.custom_fields.models import CustomField
from tenants.foundation.children import Child
from tenants.foundation.clock import now
from tenants.foundation.identifiers import new_id
from tenants.isolation.door import db, inside
from tests.tenants.fields.defined import define
from tests.workspace import Workspace

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]
RECORDS = 20_000
WITHIN_SECONDS = 500


@pytest.mark.usefixtures("app")
def test_a_field_whose_worker_is_killed_twice_goes_once_and_whole(
    new_workspace: Callable[[], Workspace], processes: dict[str, Child]
) -> None:
    ours, neighbour = new_workspace(), new_workspace()
    field, theirs = define(ours, "contacts", "going")["id"], define(neighbour, "contacts", "going")["id"]
    for each in (ours, neighbour):
        _fill(each)
    ours.admin.put(f"/fields/{field}/archival")
    job = ours.admin.delete(f"/fields/{field}").json["id"]
    killed: list[int] = []
    until = time.monotonic() + WITHIN_SECONDS
    while time.monotonic() < until:
        status, left = ours.admin.get(f"/jobs/{job}").json["status"], _left(ours)
        if status in ("succeeded", "failed"):
            break
        if len(killed) < 2 and 1 < left < (killed[-1] if killed else RECORDS):
            killed.append(left)
            processes["worker"].kill()
            processes["worker"].start()
        time.sleep(0.02)
    assert (status, len(killed), _left(ours)) == ("succeeded", 2, 0)
    with inside(ours.home):
        changed = select(func.count()).select_from(AuditEvent)
        assert db().scalar(changed.where(AuditEvent.action == "contacts.changed")) == RECORDS
        assert db().scalar(select(func.count()).select_from(Contact).where(Contact.version == 2)) == RECORDS
        assert db().scalar(select(func.count()).select_from(CustomField)) == 0
    assert _left(neighbour) == RECORDS
    assert neighbour.admin.get(f"/fields/{theirs}").status_code == 200


def _left(workspace: Workspace) -> int:
    with inside(workspace.home):
        having = select(func.count()).select_from(Contact).where(Contact.custom.has_key("going"))
        return int(db().scalar(having) or 0)


def _fill(workspace: Workspace) -> None:
    moment = now()
    same = {
        "source": "api", "created_at": moment, "updated_at": moment, "lifecycle": "lead",
        "do_not_contact": False, "tags": [], "custom": {"going": "gone"},
    }  # fmt: skip
    rows = [{"id": new_id(), "last_name": f"Old {n}", **same} for n in range(RECORDS)]
    with inside(workspace.home, patience_seconds=60):
        db().execute(insert(Contact.__table__), rows)
