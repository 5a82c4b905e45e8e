"""The security page: what an admin should look at, and a score that says how much."""

import secrets
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.foundation.tables import Source
from tenants.identity.founding import new_api_key
from tenants.identity.models import Role, User, UserRole
from tenants.identity.people.overview import RULES
from tenants.identity.programs.models import ApiKey
from tenants.identity.signing_in.models import Authenticator, Session
from tenants.isolation.door import db, inside
from tests.workspace import Workspace, signed_in

YEARS_AGO = timedelta(days=800)


def overview(workspace: Workspace) -> dict[str, Any]:
    answer = workspace.admin.get("/security-overview")
    assert answer.status_code == 200, answer.json
    return dict(answer.json)


def names(found: dict[str, Any]) -> list[str]:
    assert found["count"] == len(found["data"])
    return [each["name"] for each in found["data"]]


def lost(said: dict[str, Any]) -> dict[str, int]:
    return {each["rule"]: each["points"] for each in said["lost"]}


@pytest.fixture
def workspace(new_workspace) -> Workspace:
    made: Workspace = new_workspace()
    return made


def test_the_rules_take_a_hundred_points_and_no_more():
    assert sum(each.most for each in RULES) == 100


def test_somebody_without_a_second_factor_is_named_until_they_have_one(workspace, neighbour):
    everybody = overview(workspace)
    assert names(everybody["without_second_factor"]) == [
        "Ada Admin", "Manager", "Read-Only", "Sales", "Sales-Elsewhere",
    ]  # fmt: skip
    assert lost(everybody)["second_factor"] == 40
    with inside(workspace.home):
        act_as(SYSTEM)
        for name, confirmed in (("admin", now()), ("sales", None)):
            user_id = workspace.clients[name].user_id
            db().add(Authenticator(user_id=user_id, kind="totp", name="Phone", confirmed_at=confirmed))
            db().add(Authenticator(user_id=user_id, kind="recovery_code", name="Code", confirmed_at=now()))

    said = overview(workspace)

    assert names(said["without_second_factor"]) == ["Manager", "Read-Only", "Sales", "Sales-Elsewhere"]
    assert names(said["admins_without_second_factor"]) == []
    assert lost(said) == {"second_factor": 32, "admins": 10}
    assert said["score"] == 100 - 42
    assert "Manager" in names(overview(neighbour)["without_second_factor"])


def test_somebody_who_was_not_seen_is_named_by_how_long(workspace):
    with inside(workspace.home):
        act_as(SYSTEM)
        db().execute(update(User).values(created_at=now() - YEARS_AGO).execution_options(audited=True))
        for name, days in (("manager", 40), ("sales", 100)):
            mine = Session.user_id == workspace.clients[name].user_id
            db().execute(update(Session).where(mine).values(last_seen_at=now() - timedelta(days=days)))

    said = overview(workspace)

    assert names(said["silent_30_days"]) == ["Manager", "Sales"]
    assert names(said["silent_90_days"]) == ["Sales"]
    assert lost(said)["silent_users"] == 3
    with inside(workspace.home):
        act_as(SYSTEM)
        db().execute(delete(Session).where(Session.user_id == workspace.sales.user_id))


def test_keys_are_named_by_what_is_wrong_with_them(workspace):
    with inside(workspace.home):
        act_as(SYSTEM)
        user = db().get_one(User, workspace.sales.user_id)
        wrong: dict[str, dict[str, Any]] = {
            "old": {"created_at": now() - YEARS_AGO, "last_used_at": now()},
            "unused": {"created_at": now() - timedelta(days=91)},
            "ending": {"expires_at": now() + timedelta(days=3)},
            "revoked": {"created_at": now() - YEARS_AGO, "revoked_at": now()},
            "ended": {"created_at": now() - YEARS_AGO, "expires_at": now() - timedelta(days=1)},
        }
        for name, values in wrong.items():
            new_api_key(workspace.home, user, name)
            db().flush()
            key = db().scalars(select(ApiKey).where(ApiKey.name == name)).one()
            for column, value in values.items():
                setattr(key, column, value)

    said = overview(workspace)

    assert names(said["keys_old"]) == ["old"]
    assert names(said["keys_unused"]) == ["unused"]
    assert names(said["keys_expiring"]) == ["ending"]
    assert {"old", "unused"} <= set(names(said["keys_without_end"]))
    assert said["keys_old"]["data"][0]["user_id"] == str(workspace.sales.user_id)


def test_who_holds_the_rights_of_an_admin_counts_whatever_their_role_is_called(workspace):
    with inside(workspace.home):
        act_as(SYSTEM)
        role = Role(name="Harmless", permissions={"roles:assign": "all"}, source=Source.SYSTEM)
        db().add(role)
        db().flush()
        db().add(UserRole(user_id=workspace.read_only.user_id, role_id=role.id))

    said = overview(workspace)

    assert names(said["admins"]) == ["Ada Admin", "Read-Only"]
    assert "admins" not in lost(said)


def test_pending_invitations_are_listed(workspace, neighbour):
    email = f"{secrets.token_hex(4)}@people.test"
    made = workspace.admin.in_person.post("/invitations", {"email": email, "name": "Nora New"}).json

    said = overview(workspace)

    assert names(said["invitations_pending"]) == ["Nora New"]
    assert said["invitations_pending"]["data"][0]["id"] == made["id"]
    assert "Nora New" not in names(said["without_second_factor"])
    workspace.admin.delete(f"/invitations/{made['id']}")
    assert names(overview(workspace)["invitations_pending"]) == []


def test_nobody_but_an_admin_sees_it(workspace):
    for name in ("manager", "sales", "read-only"):
        assert workspace.clients[name].get("/security-overview").status_code == 403


def test_a_user_who_can_not_sign_in_costs_no_points(workspace):
    before = overview(workspace)["users"]
    with inside(workspace.home):
        act_as(SYSTEM)
        imported = User(name="Imre Imported", source=Source.IMPORT)
        left = User(name="Lotte Left", state="inactive", source=Source.SYSTEM)
        db().add_all([imported, left])
        db().flush()
        signed_in(workspace.home, left.id)

    assert overview(workspace)["users"] == before
