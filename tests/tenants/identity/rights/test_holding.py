"""Whoever a role is looked for in, people have it exactly where their standing says so."""

import secrets
from collections.abc import Callable
from uuid import UUID

from sqlalchemy import select

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.foundation.tables import Source
from tenants.identity.holding import has_role
from tenants.identity.models import Role, Team, TeamMember, TeamRole, User, UserRole
from tenants.identity.people.addressees import addresses_told
from tenants.identity.signing_in.enrolling import is_required_of
from tenants.identity.standings import standing_of
from tenants.isolation.door import db, inside
from tenants.support_access.permissions import DECIDE_GRANTS
from tests.workspace import Workspace


def made(row):
    db().add(row)
    db().flush()
    return row


def user(name: str) -> UUID:
    return made(User(name=name, source=Source.SYSTEM)).id


def test_a_role_is_of_those_who_were_given_it_and_of_who_is_in_or_over_a_team_that_has_it(
    acme: Workspace, neighbour: Workspace
) -> None:
    with inside(acme.home):
        act_as(SYSTEM)
        role = made(
            Role(name=secrets.token_hex(5), permissions={"audit-events:read": "all"}, source="system")
        )
        own, member, manager, _nobody = (user(name) for name in ("Own", "Member", "Manager", "Nobody"))
        team = made(Team(name=secrets.token_hex(5), manager_id=manager, source=Source.SYSTEM))
        db().add_all(
            [
                UserRole(user_id=own, role_id=role.id),
                TeamMember(team_id=team.id, user_id=member),
                TeamRole(team_id=team.id, role_id=role.id),
            ]
        )
        db().flush()
        found = set(db().scalars(select(User.id).where(has_role(Role.id == role.id))))
        everybody = db().scalars(select(User.id).where(User.state == "active")).all()
        reading = {
            each for each in everybody if "audit-events:read" in standing_of(each, "session", None).rights
        }
        holding = has_role(Role.permissions.has_key("audit-events:read"))
        asked = set(db().scalars(select(User.id).where(User.state == "active", holding)))
    assert found == {own, member, manager}
    assert asked == reading > found
    with inside(neighbour.home):
        assert db().scalars(select(User.id).where(has_role(Role.id == role.id))).all() == []


def test_whoever_manages_a_team_has_its_roles_wherever_it_is_asked(
    new_workspace: Callable[[], Workspace], neighbour: Workspace
) -> None:
    """In mails to those who decide, on the security page, and where a role asks for a second factor."""
    acme = new_workspace()
    address = f"{secrets.token_hex(5)}@people.test"
    with inside(acme.home):
        act_as(SYSTEM)
        manager = made(
            User(name="Mara Manages", email=address, email_verified_at=now(), source=Source.SYSTEM)
        )
        other = user("Otto Other")
        holds = {DECIDE_GRANTS.name: "all", "roles:assign": "all"}
        role = made(Role(name="Over access", permissions=holds, mfa_required=True, source="system"))
        team = made(Team(name="Access", manager_id=manager.id, source=Source.SYSTEM))
        made(TeamRole(team_id=team.id, role_id=role.id))
        assert address in addresses_told(DECIDE_GRANTS, None)
        assert is_required_of(manager.id)
        assert not is_required_of(other)
    admins = acme.admin.get("/security-overview").json["admins"]["data"]
    assert [each["name"] for each in admins] == ["Ada Admin", "Mara Manages"]
    with inside(neighbour.home):
        assert address not in addresses_told(DECIDE_GRANTS, None)
