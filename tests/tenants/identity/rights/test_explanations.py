"""Why somebody may, or may not: said by the rule that decides, with the roles, teams and shares that decide it."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import update

from tenants.identity.models import User
from tenants.isolation.door import db, inside
from tests.tenants.identity.rights.people import Person, person, role_id
from tests.workspace import Client, Workspace


def asked(client: Client, user: Any, permission: str, record: str | None = None, **more: str) -> Any:
    query = {"permission": permission, **({"record": record} if record else {}), **more}
    return client.get(f"/users/{user.user_id}/permissions/explanation", query_string=query)


@pytest.fixture
def deal(acme: Workspace) -> str:
    return str(acme.sales.post("/deals", {"name": f"Asked {uuid4().hex}"}).json["id"])


def make_role(workspace: Workspace, user: Person, permissions: dict[str, str], **more: Any) -> str:
    admin = workspace.admin.in_person
    body = {"name": f"Role {uuid4().hex[:8]}", "permissions": permissions, **more}
    role = admin.post("/roles", body).json["id"]
    assert admin.put(f"/users/{user.user_id}/roles", {"role_ids": [role]}).status_code == 200
    return str(role)


EXPLAINED = [
    ("admin", "deals:edit", "all"),
    ("sales", "deals:edit", "owner"),
    ("manager", "deals:edit", "team"),
    ("manager", "deals:read", "all"),
    ("sales", "deals:delete", "lacking"),
    ("read_only", "deals:edit", "lacking"),
    ("sales_elsewhere", "deals:read", "out_of_reach"),
]


@pytest.mark.parametrize(("who", "permission", "decision"), EXPLAINED)
def test_the_explanation_is_what_happens(
    acme: Workspace, neighbour: Workspace, deal: str, who: str, permission: str, decision: str
) -> None:
    client = getattr(acme, who)
    told = asked(acme.admin, client, permission, deal).json
    assert told["steps"][-1]["decision"] == decision
    done = {
        "deals:edit": lambda: client.patch(f"/deals/{deal}", {"notes": "x"}),
        "deals:read": lambda: client.get(f"/deals/{deal}"),
        "deals:delete": lambda: client.delete(f"/deals/{deal}"),
    }[permission]()
    assert told["allowed"] is (decision not in ("lacking", "out_of_reach"))
    assert told["allowed"] is (done.status_code < 300)
    assert asked(neighbour.admin, client, permission, deal).status_code == 404


def test_it_names_the_roles_the_teams_and_the_shares(
    acme: Workspace, neighbour: Workspace, deal: str
) -> None:
    told = asked(acme.admin, acme.manager, "deals:edit", deal).json["steps"][-1]
    assert [(each["name"], each["reach"], each["team"]) for each in told["roles"]] == [
        ("manager", "team", None)
    ]
    assert [each["name"] for each in told["teams"]] == ["North"]
    guest = person(acme, "Guest")
    role = make_role(acme, guest, {"deals:read": "own", "deals:edit": "own"})
    assert asked(acme.admin, guest, "deals:edit", deal).json["allowed"] is False
    body = {"resource": "deals", "record_id": deal, "user_id": str(guest.user_id), "level": "edit"}
    share = acme.admin.post("/record-shares", body).json["id"]
    told = asked(acme.admin, guest, "deals:edit", deal).json
    assert told["allowed"] is True
    assert [each["permission"] for each in told["steps"]] == ["deals:read", "deals:edit"]
    for step in told["steps"]:
        assert (step["decision"], [each["id"] for each in step["shares"]]) == ("shared", [share])
        assert [each["id"] for each in step["roles"]] == [role]
    assert "shared with them" in told["sentence"]
    assert asked(neighbour.admin, neighbour.sales, "deals:edit", deal).status_code == 404


def test_a_role_through_a_team_says_so(acme: Workspace, neighbour: Workspace) -> None:
    admin = acme.admin.in_person
    team = admin.post("/teams", {"name": f"Team {uuid4().hex[:8]}"}).json["id"]
    member = person(acme, "Member", team_id=team)
    assert admin.put(f"/teams/{team}/roles", {"role_ids": [role_id(acme, "read-only")]}).status_code == 200
    rights = {
        each["name"]: each
        for each in acme.admin.get(f"/users/{member.user_id}/permissions").json["permissions"]
    }
    assert [(each["name"], each["team"]["id"]) for each in rights["deals:read"]["roles"]] == [
        ("read-only", team)
    ]
    assert "deals:edit" not in rights
    assert neighbour.admin.get(f"/users/{member.user_id}/permissions").status_code == 404


def test_everybody_sees_their_own_rights_and_not_those_of_others(
    acme: Workspace, neighbour: Workspace, deal: str
) -> None:
    for client in (acme.sales, acme.read_only, person(acme, "Bare")):
        assert client.get(f"/users/{client.user_id}/permissions").status_code == 200
        assert asked(client, client, "deals:edit").status_code == 200
        assert client.get(f"/users/{acme.admin.user_id}/permissions").status_code == 403
        assert asked(client, acme.admin, "deals:edit").status_code == 403
        assert neighbour.admin.get(f"/users/{client.user_id}/permissions").status_code == 404
    mine = {
        each["name"]: each["reach"]
        for each in acme.sales.get(f"/users/{acme.sales.user_id}/permissions").json["permissions"]
    }
    assert mine == acme.sales.get("/me").json["permissions"]
    assert asked(acme.sales_elsewhere, acme.sales_elsewhere, "deals:edit", deal).status_code == 404


def test_what_makes_no_sense_to_ask_is_refused(acme: Workspace, neighbour: Workspace, deal: str) -> None:
    for workspace in (acme, neighbour):
        admin = workspace.admin
        assert list(asked(admin, admin, "deals:fly").json["errors"]) == ["permission"]
        assert list(admin.get(f"/users/{admin.user_id}/permissions/explanation").json["errors"]) == [
            "permission"
        ]
    assert list(asked(acme.admin, acme.sales, "records:share", deal).json["errors"]) == ["resource"]
    told = asked(acme.admin, acme.sales, "records:share", deal, resource="deals").json
    assert (told["allowed"], told["steps"][-1]["decision"]) == (True, "owner")


def test_somebody_who_is_inactive_may_nothing(acme: Workspace, neighbour: Workspace) -> None:
    gone = person(acme, "Gone", "admin")
    with inside(acme.home):
        db().execute(
            update(User.__table__).where(User.__table__.c.id == gone.user_id).values(state="inactive")
        )
    assert acme.admin.get(f"/users/{gone.user_id}/permissions").json["permissions"] == []
    told = asked(acme.admin, gone, "deals:read").json
    assert (told["allowed"], told["sentence"]) == (False, "Gone is inactive and may do nothing.")
    assert neighbour.admin.get(f"/users/{gone.user_id}/permissions").status_code == 404


def test_conditions_and_field_rules_are_said(acme: Workspace, neighbour: Workspace) -> None:
    guest = person(acme, "Reader")
    make_role(
        acme, guest, {"contacts:read": "all", "contacts:edit": "all"},
        field_rules={"contacts": {"phone": "none", "email": "read"}},
    )  # fmt: skip
    told = asked(acme.admin, guest, "contacts:edit").json
    assert told["field_rules"] == {"email": "read", "phone": "none"}
    assert len(asked(acme.admin, acme.admin, "roles:edit").json["conditions"]) == 2
    assert asked(neighbour.admin, neighbour.admin, "contacts:edit").json["field_rules"] == {}


@pytest.mark.parametrize("resource", ["passwords", "user-roles", "mails", "access-grants", "access-log"])
def test_no_explanation_is_asked_about_what_no_list_shows_whole(
    acme: Workspace, neighbour: Workspace, resource: str
) -> None:
    path = f"/users/{acme.admin.user_id}/permissions/explanation"
    asked = {"permission": "users:read", "record": str(acme.admin.user_id), "resource": resource}
    for client, status in ((acme.admin, 422), (neighbour.admin, 404)):
        assert client.get(path, query_string=asked).status_code == status
