"""What a directory's key may do is what it was given: it makes nobody an admin, and takes nobody over."""

import secrets
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from tenants.access.caller import SYSTEM, act_as
from tenants.identity.founding import new_api_key
from tenants.identity.models import Role, TeamRole, User, UserRole
from tenants.isolation.door import db, inside
from tests.tenants.identity.scim.directories import Directory, directory_key, new_user, said
from tests.workspace import Workspace


def group_with(workspace: Workspace, directory: Directory, role: str) -> str:
    made = directory.add_group()
    with inside(workspace.home):
        act_as(SYSTEM)
        role_id = db().scalars(select(Role.id).where(Role.name == role)).one()
        db().add(TeamRole(team_id=made["id"], role_id=role_id))
    return f"/Groups/{made['id']}"


@pytest.mark.parametrize(
    "scopes", [["scim:provision"], [], None], ids=["scoped", "no scope", "all rights of an admin"]
)
def test_no_key_makes_anybody_an_admin(
    app: Flask, acme: Workspace, directory: Directory, neighbour: Workspace, scopes: list[str] | None
) -> None:
    group = group_with(acme, directory, "admin")
    user = directory.add_user()["id"]
    with inside(acme.home):
        act_as(SYSTEM)
        admin = db().get_one(User, acme.admin.user_id)
        key = new_api_key(acme.home, admin, "Any", scopes)
    anybody = Directory(directory.flask, key)
    answer = anybody.patch(group, {"op": "add", "path": "members", "value": [{"value": user}]})
    assert answer.status_code == 403
    replaced = {"schemas": [], "displayName": secrets.token_hex(8), "members": [{"value": user}]}
    assert anybody.ask("PUT", group, {**said(directory.ask("GET", group)), **replaced}).status_code in (
        400,
        403,
    )
    assert "members" not in said(directory.ask("GET", group))


def test_a_key_fills_groups_whose_roles_it_holds_itself(
    app: Flask, acme: Workspace, directory: Directory, neighbour: Workspace
) -> None:
    group, user = group_with(acme, directory, "read-only"), directory.add_user()["id"]
    adding = {"op": "add", "path": "members", "value": [{"value": user}]}
    assert directory.patch(group, adding).status_code == 403
    with inside(acme.home):
        scopes = list(db().scalars(select(Role.permissions).where(Role.name == "read-only")).one())
    holder = Directory(directory.flask, directory_key(acme, ["scim:provision", *scopes]))
    answer = holder.patch(group, adding)
    assert answer.status_code == 204, answer.get_data(as_text=True)


def test_an_admin_is_not_taken_over_by_another_address(
    acme: Workspace, directory: Directory, neighbour: Workspace
) -> None:
    made = directory.add_user()
    with inside(acme.home):
        act_as(SYSTEM)
        role_id = db().scalars(select(Role.id).where(Role.name == "admin")).one()
        db().add(UserRole(user_id=made["id"], role_id=role_id))
    path = f"/Users/{made['id']}"
    for body in (
        {"userName": "evil@example.org"},
        {"userName": "evil", "emails": [{"value": "evil@example.org"}]},
    ):
        assert directory.patch(path, {"op": "replace", "value": body}).status_code == 403
    assert acme.admin.get(f"/users/{made['id']}").json["email"] == made["userName"]
    assert directory.patch(path, {"op": "replace", "path": "active", "value": False}).status_code == 204
    assert directory.patch(path, {"op": "replace", "path": "active", "value": True}).status_code == 403
    assert directory.ask("DELETE", path).status_code == 204
    assert directory.ask("POST", "/Users", new_user(userName=made["userName"])).status_code == 403
    assert acme.admin.get(f"/users/{made['id']}").json["state"] == "inactive"


def test_the_owner_of_the_key_is_not_locked_out_by_it(
    acme: Workspace, directory: Directory, neighbour: Workspace
) -> None:
    path = f"/Users/{acme.admin.user_id}"
    assert directory.ask("DELETE", path).status_code == 409
    assert acme.admin.get("/me").status_code == 200


def credentials(acme: Workspace) -> Iterator[tuple[str, dict[str, str], int]]:
    session = acme.admin.in_person.headers
    yield "nothing", {}, 401
    yield "nonsense", {"Authorization": "Bearer swordfish"}, 401
    yield "basic", {"Authorization": f"Basic {directory_key(acme)}"}, 401
    yield "without the scope", {"Authorization": f"Bearer {directory_key(acme, ['contacts:read'])}"}, 403
    yield "a manager", acme.manager.headers, 403
    yield "a browser", session, 403


def test_only_a_key_that_may_provision_comes_in(app: Flask, acme: Workspace, neighbour: Workspace) -> None:
    for what, headers, status in credentials(acme):
        for method, path in (
            ("GET", "/Users"),
            ("POST", "/Users"),
            ("GET", "/ServiceProviderConfig"),
            ("PUT", "/x"),
        ):
            answer = app.test_client(use_cookies=False).open(
                f"/scim/v2{path}", method=method, headers=headers
            )
            assert answer.status_code == status, what
            assert said(answer)["status"] == str(status)
            assert ("WWW-Authenticate" in answer.headers) is (status == 401)
