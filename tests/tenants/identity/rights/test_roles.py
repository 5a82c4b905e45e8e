"""Roles of the tenant's own: what they can hold, who can make, change and give them, and from when they hold."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.tenants.identity.rights.people import Person, person, role_id
from tests.workspace import Workspace

READING = {"contacts:read": "all"}


def made(workspace: Workspace, permissions: dict[str, str], **more: Any) -> str:
    body = {"name": f"Role {uuid4().hex[:8]}", "permissions": permissions, **more}
    answer = workspace.admin.in_person.post("/roles", body)
    assert answer.status_code == 201, answer.json
    return str(answer.json["id"])


def give(workspace: Workspace, user: Person, *roles: str) -> Any:
    return workspace.admin.in_person.put(f"/users/{user.user_id}/roles", {"role_ids": list(roles)})


@pytest.fixture
def nora(acme: Workspace) -> Person:
    """Somebody without any role."""
    return person(acme, "Nora")


def test_a_role_of_ones_own_gives_what_it_says_and_no_more(
    acme: Workspace, neighbour: Workspace, nora: Person
) -> None:
    contact = acme.admin.post("/contacts", {"last_name": "Rossi"}).json["id"]
    assert nora.get(f"/contacts/{contact}").status_code == 403
    role = made(acme, READING, description="Reads contacts", mfa_required=False)
    answer = give(acme, nora, role)
    assert (answer.status_code, [each["id"] for each in answer.json["data"]]) == (200, [role])
    assert nora.get(f"/contacts/{contact}").status_code == 200
    assert nora.patch(f"/contacts/{contact}", {"city": "Rome"}).status_code == 403
    shown = acme.admin.get(f"/roles/{role}").json
    assert (shown["permissions"], shown["built_in"], shown["description"]) == (
        READING,
        False,
        "Reads contacts",
    )
    assert neighbour.admin.get(f"/roles/{role}").status_code == 404
    assert neighbour.admin.in_person.put(f"/users/{nora.user_id}/roles", {"role_ids": []}).status_code == 404


def test_roles_merge_to_the_best_of_each(acme: Workspace, neighbour: Workspace, nora: Person) -> None:
    elsewhere = acme.sales_elsewhere.post("/contacts", {"last_name": "Far"}).json["id"]
    own = made(acme, {"contacts:read": "own", "contacts:edit": "own"})
    assert give(acme, nora, own).status_code == 200
    assert nora.get(f"/contacts/{elsewhere}").status_code == 404
    assert give(acme, nora, own, made(acme, READING)).status_code == 200
    assert nora.get(f"/contacts/{elsewhere}").status_code == 200
    assert nora.patch(f"/contacts/{elsewhere}", {"city": "Rome"}).status_code == 403
    assert neighbour.admin.get(f"/contacts/{elsewhere}").status_code == 404


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"permissions": {"contacts:fly": "all"}}, "permissions"),
        ({"permissions": {"products:read": "own"}}, "permissions"),
        ({"permissions": {"reports:read": "team"}}, "permissions"),
        ({"field_rules": {"contacts": {"wings": "none"}}}, "field_rules"),
        ({"field_rules": {"contacts": {"id": "none"}}}, "field_rules"),
        ({"field_rules": {"contacts": {"version": "none"}}}, "field_rules"),
        ({"field_rules": {"birds": {"wings": "none"}}}, "field_rules"),
        ({"field_rules": {"contacts": {"phone": "write"}}}, "field_rules"),
        ({"permissions": {"contacts:read": "everywhere"}}, "permissions"),
        ({"built_in": True}, "built_in"),
    ],
)
def test_a_role_says_nothing_that_nobody_knows(
    acme: Workspace, neighbour: Workspace, said: Any, named: str
) -> None:
    for workspace in (acme, neighbour):
        answer = workspace.admin.in_person.post("/roles", {"name": "Odd", **said})
        assert (answer.status_code, {each.partition(".")[0] for each in answer.json["errors"]}) == (
            422,
            {named},
        )


def test_a_patch_of_a_role_is_a_merge_patch(acme: Workspace, neighbour: Workspace) -> None:
    rules = {"contacts": {"phone": "none", "email": "read"}}
    role = made(acme, {**READING, "leads:read": "own"}, field_rules=rules)
    patch = {
        "permissions": {"leads:read": None, "deals:read": "team"},
        "field_rules": {"contacts": {"email": None, "city": "read"}},
    }
    answer = acme.admin.in_person.patch(f"/roles/{role}", patch)
    assert answer.json["permissions"] == {**READING, "deals:read": "team"}
    assert answer.json["field_rules"] == {"contacts": {"phone": "none", "city": "read"}}
    answer = acme.admin.in_person.patch(f"/roles/{role}", {"field_rules": {"contacts": None}})
    assert answer.json["field_rules"] == {}
    assert neighbour.admin.in_person.patch(f"/roles/{role}", patch).status_code == 404


def test_built_in_roles_stay_as_they_are(acme: Workspace, neighbour: Workspace) -> None:
    for workspace in (acme, neighbour):
        admin = workspace.admin.in_person
        for name in ("admin", "sales"):
            path = f"/roles/{role_id(workspace, name)}"
            for answer in (admin.patch(path, {"name": "Boss"}), admin.delete(path)):
                assert (answer.status_code, answer.json["code"]) == (409, "built_in_role")


def test_a_role_in_use_is_not_deleted_and_says_who_has_it(
    acme: Workspace, neighbour: Workspace, nora: Person
) -> None:
    role = made(acme, READING)
    admin = acme.admin.in_person
    assert give(acme, nora, role).status_code == 200
    assert admin.put(f"/teams/{acme.sales.team_id}/roles", {"role_ids": [role]}).status_code == 200
    answer = admin.delete(f"/roles/{role}")
    assert (answer.status_code, answer.json["code"]) == (409, "role_in_use")
    assert "Nora" in answer.json["detail"]
    assert "the team North" in answer.json["detail"]
    assert give(acme, nora).status_code == 200
    assert admin.put(f"/teams/{acme.sales.team_id}/roles", {"role_ids": []}).status_code == 200
    assert neighbour.admin.in_person.delete(f"/roles/{role}").status_code == 404
    assert admin.delete(f"/roles/{role}").status_code == 204


def test_a_role_of_a_team_holds_for_everybody_in_it(acme: Workspace, neighbour: Workspace) -> None:
    anna = person(acme, "Anna", team_id=acme.sales_elsewhere.team_id)
    assert anna.get("/products").status_code == 403
    role = made(acme, {"products:read": "all"})
    path = f"/teams/{anna.team_id}/roles"
    assert neighbour.admin.in_person.put(path, {"role_ids": [role]}).status_code == 404
    assert acme.admin.in_person.put(path, {"role_ids": [role]}).status_code == 200
    assert anna.get("/products").status_code == 200
    assert acme.admin.in_person.put(path, {"role_ids": []}).status_code == 200
    assert anna.get("/products").status_code == 403


@pytest.fixture
def clerk(acme: Workspace) -> Person:
    """Somebody who looks after roles, and may do little else; phones are hidden from them."""
    user = person(acme, "Clerk")
    permissions = {f"roles:{each}": "all" for each in ("read", "create", "edit", "delete", "assign")}
    permissions |= {"contacts:read": "team", "contacts:edit": "own", "users:read": "all", "teams:read": "all"}
    rules = {"contacts": {"phone": "none", "email": "read"}}
    assert give(acme, user, made(acme, permissions, field_rules=rules)).status_code == 200
    return user


CLOSED = {"contacts": {"phone": "none", "email": "read"}}


@pytest.mark.promise("1-26")
@pytest.mark.parametrize(
    ("permissions", "rules", "allowed"),
    [
        ({"contacts:read": "team"}, CLOSED, True),
        ({"contacts:read": "own", "contacts:edit": "own"}, CLOSED, True),
        ({"contacts:read": "subteams"}, CLOSED, False),
        ({"contacts:read": "all"}, CLOSED, False),
        ({"contacts:edit": "team"}, CLOSED, False),
        ({"deals:read": "own"}, {}, False),
        ({"contacts:read": "team"}, {}, False),
        ({"contacts:read": "team"}, {"contacts": {"phone": "read", "email": "read"}}, False),
        ({"contacts:read": "team"}, {"contacts": {"phone": "none"}}, False),
    ],
)
def test_attack_nobody_makes_or_widens_a_role_beyond_their_own_rights(
    acme: Workspace,
    neighbour: Workspace,
    clerk: Person,
    permissions: Any,
    rules: Any,
    allowed: bool,  # noqa: FBT001
) -> None:
    body = {"name": f"Grab {uuid4().hex[:8]}", "permissions": permissions, "field_rules": rules}
    answer = clerk.in_person.post("/roles", body)
    assert answer.status_code == (201 if allowed else 403), answer.json
    small = clerk.in_person.post("/roles", {"name": f"Small {uuid4().hex[:8]}"}).json["id"]
    wide = {"permissions": permissions, "field_rules": rules}
    answer = clerk.in_person.patch(f"/roles/{small}", wide)
    assert answer.status_code == (200 if allowed else 403)
    if not allowed:
        assert answer.json["code"] == "beyond_own_rights"
        assert acme.admin.get(f"/roles/{small}").json["permissions"] == {}
    assert neighbour.admin.get(f"/roles/{small}").status_code == 404


def test_attack_nobody_gives_or_takes_a_role_that_holds_more_than_they_have(
    acme: Workspace, neighbour: Workspace, clerk: Person, nora: Person
) -> None:
    for name in ("admin", "manager", "read-only"):
        for path in (f"/users/{clerk.user_id}/roles", f"/users/{nora.user_id}/roles"):
            answer = clerk.in_person.put(path, {"role_ids": [role_id(acme, name)]})
            assert (answer.status_code, answer.json["code"]) == (403, "beyond_own_rights")
        answer = clerk.in_person.put(
            f"/teams/{acme.sales.team_id}/roles", {"role_ids": [role_id(acme, name)]}
        )
        assert (answer.status_code, answer.json["code"]) == (403, "beyond_own_rights")
    answer = clerk.in_person.put(f"/users/{acme.admin.user_id}/roles", {"role_ids": []})
    assert (answer.status_code, answer.json["code"]) == (403, "beyond_own_rights")
    strong = made(acme, {"deals:delete": "all"})
    for answer in (
        clerk.in_person.patch(f"/roles/{strong}", {"permissions": {"deals:delete": None}}),
        clerk.in_person.delete(f"/roles/{strong}"),
    ):
        assert (answer.status_code, answer.json["code"]) == (403, "beyond_own_rights")
    assert acme.admin.get("/roles").status_code == 200
    assert neighbour.admin.get("/roles").status_code == 200


def test_attack_a_program_and_an_unconfirmed_person_touch_no_role(
    acme: Workspace, neighbour: Workspace, nora: Person
) -> None:
    for workspace in (acme, neighbour):
        answer = workspace.admin.post("/roles", {"name": "By key"})
        assert (answer.status_code, answer.json["code"]) == (403, "needs_session")
    answer = acme.admin.put(f"/users/{nora.user_id}/roles", {"role_ids": []})
    assert (answer.status_code, answer.json["code"]) == (403, "needs_session")
    answer = person(acme, "Late", "admin", confirmed=False).in_person.post("/roles", {"name": "Unconfirmed"})
    assert (answer.status_code, answer.json["code"]) == (403, "step_up")


def test_the_last_admin_stays_one(new_workspace: Callable[[], Workspace], neighbour: Workspace) -> None:
    workspace = new_workspace()
    admin = workspace.admin.in_person
    mine = f"/users/{workspace.admin.user_id}/roles"
    answer = admin.put(mine, {"role_ids": []})
    assert (answer.status_code, answer.json["code"]) == (409, "last_admin")
    other = person(workspace, "Second", "admin")
    assert admin.put(mine, {"role_ids": []}).status_code == 200
    answer = other.in_person.put(f"/users/{other.user_id}/roles", {"role_ids": []})
    assert (answer.status_code, answer.json["code"]) == (409, "last_admin")
    assert neighbour.admin.in_person.get("/me").status_code == 200


def test_the_register_says_what_a_role_can_hold(acme: Workspace, neighbour: Workspace) -> None:
    for workspace in (acme, neighbour):
        register = workspace.admin.get("/permissions").json
        known = {each["name"]: each for each in register["data"]}
        assert known["contacts:edit"]["reaches"] == ["own", "team", "subteams", "all"]
        assert known["records:assign"]["reaches"] == ["own", "team", "subteams", "all"]
        assert known["products:edit"]["reaches"] == ["all"]
        assert known["roles:edit"]["people_only"]
        assert known["roles:edit"]["step_up"]
        assert "phone" in register["closable_fields"]["contacts"]
        assert "id" not in register["closable_fields"]["contacts"]
        assert workspace.sales.get("/permissions").status_code == 403
