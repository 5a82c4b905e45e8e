"""A new version of the program has new permissions; the built-in roles of tenants that exist get them too."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from tenants.access.caller import SYSTEM, act_as
from tenants.access.roles import built_in_roles
from tenants.audit.models import AuditEvent
from tenants.identity.models import Role
from tenants.identity.rights.following import follow_everywhere
from tenants.isolation.door import db, inside
from tests.workspace import Workspace


@pytest.mark.soak
def test_built_in_roles_follow_the_program_and_own_ones_do_not(
    app: Flask, new_workspace: Callable[[], Workspace], neighbour: Workspace
) -> None:
    ours, catalog = new_workspace(), app.extensions["house"].catalog
    with inside(ours.home):
        act_as(SYSTEM)
        manager = db().scalars(select(Role).where(Role.name == "manager")).one()
        manager.permissions = {"contacts:read": "own"}
        own = Role(name="Guests", permissions={"contacts:read": "own"}, source="entered")
        db().add(own)
    assert ours.manager.get("/deals").status_code == 403
    assert follow_everywhere(catalog) >= 1
    assert ours.manager.get("/deals").status_code == 200
    assert follow_everywhere(catalog) == 0
    with inside(ours.home):
        kept = {row.name: row.permissions for row in db().execute(select(Role.name, Role.permissions))}
        events = select(AuditEvent.action).where(
            AuditEvent.record_id == manager.id, AuditEvent.request_id == "roles"
        )
        assert db().scalars(events).all() == ["roles.changed"]
    assert (kept["manager"], kept["Guests"]) == (built_in_roles()["manager"], {"contacts:read": "own"})
    assert neighbour.manager.get("/deals").status_code == 200
