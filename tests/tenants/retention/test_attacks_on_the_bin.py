"""A bin that somebody else filled, say a bundle that was brought in, puts back nothing but records of its kind."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.tables import Base
from tenants.identity.models import Role, UserRole
from tenants.isolation.door import db, inside
from tenants.isolation.sealing import opened
from tenants.retention.jobs import empty_the_bin
from tenants.retention.models import BinEntry
from tests.jobs import RunJobs
from tests.tenants.retention.world import backdate, contact, delete, in_bin, rule, run
from tests.workspace import Workspace


def _smuggled(acme: Workspace, how: str, row: list[Any]) -> str:
    """What takes the place of a contact's snapshot, or is beside it."""
    if how == "a right":
        admin = db().scalars(select(Role.id).where(Role.name == "admin")).one()
        right = {"user_id": str(acme.read_only.user_id), "role_id": str(admin)}
        return json.dumps([row, [UserRole.__tablename__, json.dumps(right), {}]])
    if how == "another record":
        return json.dumps([row, [row[0], json.dumps(json.loads(row[1]) | {"id": str(uuid4())}), row[2]]])
    if how == "a part of another record":
        line = {"id": str(uuid4()), "invoice_id": str(uuid4()), "position": 1, "description": "Mine"}
        return json.dumps([row, ["invoice_lines", json.dumps(line), {}]])
    return {"nothing": "[]", "no snapshot": '{"a": [', "no rows": "[1, 2]"}[how]


@pytest.mark.parametrize(
    "how",
    ["a right", "another record", "a part of another record", "nothing", "no snapshot", "no rows"],
)
def test_what_is_put_back_is_the_record_and_what_goes_with_it(
    acme: Workspace, neighbour: Workspace, how: str
) -> None:
    made = contact(acme)
    delete(acme.admin, f"/contacts/{made}")
    entry_id = UUID(in_bin(acme, made)["id"])
    with inside(acme.home):
        act_as(SYSTEM)
        entry = db().get_one(BinEntry, entry_id)
        (row,) = json.loads(opened(entry, "content") or "")
        entry.content = _smuggled(acme, how, row)
    before = _rows(acme)
    refused = acme.admin.post(f"/bin/{entry_id}/restoration")
    assert (refused.status_code, refused.json["code"]) == (409, "altered")
    assert _rows(acme) == before
    assert neighbour.admin.post(f"/bin/{entry_id}/restoration").status_code == 404


def _rows(acme: Workspace) -> dict[str, int]:
    names = ("user_roles", "contacts", "invoice_lines", "bin")
    with inside(acme.home):
        return {
            name: db().scalars(select(func.count()).select_from(Base.metadata.tables[name])).one()
            for name in names
        }


@pytest.mark.parametrize(
    "said",
    [
        {"moments": {"created": "yesterday"}},
        {"moments": {"created": "2020-01-01T00:00:00"}},
        {"moments": {"created": 7}},
        {"moments": {"never": None}},
        {"resource": "nonsense"},
    ],
    ids=str,
)
def test_an_entry_that_is_none_keeps_no_other_in_the_bin(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs, said: dict[str, Any]
) -> None:
    ours = new_workspace()
    odd, usual, theirs = contact(ours), contact(ours), contact(neighbour)
    rule(ours, resource="contacts", action="retain", period="P1D")
    rule(ours, resource="bin", period="P0D")
    for workspace, made in ((ours, odd), (ours, usual), (neighbour, theirs)):
        backdate(workspace, "contacts", made, 30)
        delete(workspace.admin, f"/contacts/{made}")
    entry_id = in_bin(ours, odd)["id"]
    with inside(ours.home):
        act_as(SYSTEM)
        entry = db().get_one(BinEntry, UUID(entry_id))
        for name, value in said.items():
            setattr(entry, name, value)
    assert ours.admin.get("/bin").status_code == 200
    run(ours, empty_the_bin, run_jobs)
    left = [each["record_id"] for each in ours.admin.get("/bin").json["data"]]
    assert usual not in left
    assert ours.admin.post(f"/bin/{entry_id}/restoration").status_code in (201, 404)
    assert in_bin(neighbour, theirs)
