"""What a role closes of users stays closed on every way to a user, whatever the route answers with."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.tenants.identity.rights.people import person
from tests.tenants.identity.scim.directories import Directory, directory_key, new_user
from tests.workspace import Client, Workspace

RIGHTS = (
    *("users:read", "users:edit", "users:readdress", "invitations:create", "invitations:read"),
    *("roles:read", "roles:assign", "teams:read", "scim:provision"),
)


@pytest.fixture(scope="module")
def ours(new_workspace: Callable[[], Workspace]) -> Workspace:
    return new_workspace()


@pytest.fixture(scope="module")
def bounded(ours: Workspace) -> Client:
    """Somebody to whom addresses, offices and roles of users are closed."""
    closed = {"users": {"email": "read", "office": "read", "role_ids": "none"}}
    said = {"name": "Bounded", "permissions": dict.fromkeys(RIGHTS, "all"), "field_rules": closed}
    made = ours.admin.in_person.post("/roles", said)
    assert made.status_code == 201, made.json
    somebody = person(ours, "Bob Bounded")
    path = f"/users/{somebody.user_id}/roles"
    assert ours.admin.in_person.put(path, {"role_ids": [made.json["id"]]}).status_code == 200
    return somebody


WAYS: dict[str, tuple[dict[str, Any], str]] = {
    "PUT /users/{sales}/email": ({"email": "new@ours.test"}, "email"),
    "PUT /me/email": ({"email": "new@ours.test"}, "email"),
    "PATCH /me": ({"office": "Rome"}, "office"),
    "POST /invitations": ({"email": "new@ours.test", "name": "Nina"}, "email"),
    "POST /users/{sales}/invitation": ({"email": "new@ours.test"}, "email"),
    "PUT /users/{sales}/roles": ({"role_ids": []}, "role_ids"),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_closed_field_of_a_user_is_closed_on_every_way(
    ours: Workspace, neighbour: Workspace, bounded: Client, way: str
) -> None:
    method, path = way.split(" ")
    body, field = WAYS[way]
    answer = bounded.in_person.request(method, path.format(sales=ours.sales.user_id), json=body)
    assert (answer.status_code, answer.json["code"]) == (403, "closed_field"), answer.json
    assert list(answer.json["errors"]) == [field]
    if "{sales}" in path:
        theirs = path.format(sales=neighbour.sales.user_id)
        assert ours.admin.in_person.request(method, theirs, json=body).status_code == 404


def test_what_is_open_goes_through(ours: Workspace, neighbour: Workspace, bounded: Client) -> None:
    answer = bounded.in_person.patch("/me", {"job_title": "Clerk"})
    assert answer.status_code == 200, answer.json
    assert ours.admin.get(f"/users/{bounded.user_id}").json["job_title"] == "Clerk"
    assert neighbour.admin.get(f"/users/{bounded.user_id}").status_code == 404


def test_a_directory_is_no_way_round(ours: Workspace, neighbour: Workspace, bounded: Client) -> None:
    directory = Directory(ours.admin.flask, bounded.key)
    refused = directory.ask("POST", "/Users", new_user())
    assert refused.status_code == 403, refused.text
    assert "closed" in refused.get_json(force=True)["detail"]
    for workspace in (ours, neighbour):
        open_one = Directory(workspace.admin.flask, directory_key(workspace))
        assert open_one.ask("POST", "/Users", new_user()).status_code == 201
