"""A bin that somebody else filled, say a bundle that was brought in, puts back nothing but records of its kind."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.tables import Base
from tenants.identity.models import Role, UserRole
from tenants.isolation.door import db, inside
from tenants.isolation.sealing import opened
from tenants.retention.models import BinEntry
from tests.tenants.retention.world import contact, delete, in_bin
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
