"""What a company's directory may do to users and groups, and what it may not."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select

from tenants.access.caller import SYSTEM, act_as
from tenants.identity.founding import new_api_key
from tenants.identity.models import Team, User
from tenants.isolation.door import db, inside
from tests.tenants.identity.scim.directories import Directory, listed, new_user, said
from tests.workspace import Workspace


def test_a_user_comes_changes_leaves_and_is_never_deleted(
    acme: Workspace, directory: Directory, theirs: Directory
) -> None:
    made = directory.add_user(displayName="Grace", title="Admiral", externalId="x-1", active=True)
    path = f"/Users/{made['id']}"
    assert made["meta"]["location"] == f"http://127.0.0.1:8000/scim/v2{path}"
    user = acme.admin.get(f"/users/{made['id']}").json
    assert (user["name"], user["email"], user["state"]) == ("Grace", made["userName"], "active")
    assert directory.patch(path, {"op": "Replace", "path": "active", "value": "False"}).status_code == 204
    assert acme.admin.get(f"/users/{made['id']}").json["state"] == "inactive"
    assert said(directory.ask("GET", path))["active"] is False
    assert directory.patch(path, {"op": "replace", "value": {"active": True}}).status_code == 204
    assert acme.admin.get(f"/users/{made['id']}").json["state"] == "active"
    assert theirs.ask("DELETE", path).status_code == 404
    assert directory.ask("DELETE", path).status_code == 204
    assert directory.ask("GET", path).status_code == 404
    assert directory.ask("DELETE", path).status_code == 404
    assert acme.admin.get(f"/users/{made['id']}").json["state"] == "inactive"
    again = directory.add_user(userName=made["userName"], displayName="Grace H.")
    assert again["id"] == made["id"]
    assert acme.admin.get(f"/users/{made['id']}").json["state"] == "active"


def test_deactivating_ends_keys_and_sessions_at_once(
    app: Flask, acme: Workspace, directory: Directory, neighbour: Workspace
) -> None:
    made = directory.add_user()
    with inside(acme.home):
        act_as(SYSTEM)
        key = new_api_key(acme.home, db().get_one(User, made["id"]), "Theirs")
    mine = {"Authorization": f"Bearer {key}"}
    assert app.test_client().get("/api/v1/me", headers=mine).status_code == 200
    directory.patch(f"/Users/{made['id']}", {"op": "replace", "path": "active", "value": False})
    assert app.test_client().get("/api/v1/me", headers=mine).status_code == 401
    directory.patch(f"/Users/{made['id']}", {"op": "replace", "path": "active", "value": True})
    assert app.test_client().get("/api/v1/me", headers=mine).status_code == 401


def test_what_changed_here_shows_over_there(
    acme: Workspace, directory: Directory, neighbour: Workspace
) -> None:
    made = directory.add_user(
        displayName="Before", title="One", name={"givenName": "Be", "familyName": "Fore"}
    )
    assert acme.admin.patch(f"/users/{made['id']}", {"name": "After", "job_title": "Two"}).status_code == 200
    now = said(directory.ask("GET", f"/Users/{made['id']}"))
    assert (now["displayName"], now["title"], now["name"]["givenName"]) == ("After", "Two", "Be")
    assert now["meta"]["version"] != made["meta"]["version"]


def test_a_neighbours_user_is_word_for_word_one_that_never_was(
    acme: Workspace, directory: Directory, theirs: Directory
) -> None:
    foreign, never = theirs.add_user()["id"], str(uuid4())
    group = directory.add_group()["id"]
    for method, body in (("GET", None), ("PUT", new_user()), ("DELETE", None)):
        answers = [
            directory.ask(method, f"/Users/{each}", body).get_data(as_text=True).replace(each, "ID")
            for each in (foreign, never)
        ]
        assert answers[0] == answers[1]
        assert '"404"' in answers[0] or "404" in answers[0]
    for each in (foreign, never):
        adding = {"op": "add", "path": "members", "value": [{"value": each}]}
        assert directory.patch(f"/Groups/{group}", adding).status_code == 400
    assert listed(directory, "/Users", filter=f'id eq "{foreign}"') == []
    assert theirs.ask("GET", f"/Users/{foreign}").status_code == 200


def test_groups_are_teams(acme: Workspace, directory: Directory, theirs: Directory) -> None:
    users = [directory.add_user()["id"] for _ in range(2)]
    group = directory.add_group(members=[{"value": users[0]}], externalId="g-1")
    path = f"/Groups/{group['id']}"
    assert acme.admin.get(f"/teams/{group['id']}").json["name"] == group["displayName"]
    assert said(directory.ask("GET", f"/Users/{users[0]}"))["groups"][0]["value"] == group["id"]
    directory.patch(path, {"op": "Add", "path": "members", "value": [{"value": users[1]}]})
    assert {each["value"] for each in said(directory.ask("GET", path))["members"]} == set(users)
    directory.patch(path, {"op": "Remove", "path": f'members[value eq "{users[0]}"]'})
    assert [each["value"] for each in said(directory.ask("GET", path))["members"]] == [users[1]]
    assert acme.admin.get(f"/users/{users[1]}").json["team_id"] == group["id"]
    assert directory.ask("DELETE", path).status_code == 204
    assert directory.ask("GET", path).status_code == 404
    assert acme.admin.get(f"/teams/{group['id']}").status_code == 200
    assert "groups" not in said(directory.ask("GET", f"/Users/{users[1]}"))
    assert directory.add_group(displayName=group["displayName"])["id"] == group["id"]
    assert theirs.ask("GET", path).status_code == 404


@pytest.mark.parametrize("kind", ["Users", "Groups"])
def test_of_many_who_take_one_name_at_once_one_gets_it(
    app: Flask, directory: Directory, theirs: Directory, kind: str
) -> None:
    name = f"race{secrets.token_hex(6)}@example.org"
    body = (
        new_user(userName=name)
        if kind == "Users"
        else {"displayName": name, "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"]}
    )
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: directory.ask("POST", f"/{kind}", body), range(5)))
    assert sorted(each.status_code for each in answers) == [201, 409, 409, 409, 409]
    refused = [said(each) for each in answers if each.status_code == 409]
    assert {each["scimType"] for each in refused} == {"uniqueness"}
    assert theirs.ask("POST", f"/{kind}", body).status_code in (201, 409)


def test_a_name_that_is_no_address_is_a_name_all_the_same(
    acme: Workspace, directory: Directory, neighbour: Workspace
) -> None:
    name = secrets.token_hex(6)
    made = directory.add_user(userName=name, emails=[{"value": f"{name}@example.org", "type": "work"}])
    assert made["userName"] == name
    assert acme.admin.get(f"/users/{made['id']}").json["email"] == f"{name}@example.org"
    assert directory.ask("POST", "/Users", new_user(userName=name.upper())).status_code == 409
    assert [each["id"] for each in listed(directory, "/Users", filter=f'userName eq "{name.upper()}"')] == [
        made["id"]
    ]


def test_what_a_directory_does_is_on_record(
    acme: Workspace, directory: Directory, neighbour: Workspace
) -> None:
    made = directory.add_user()["id"]
    events = acme.admin.get(f"/audit-events?record_id={made}").json["data"]
    assert [(each["action"], each["actor_kind"]) for each in events] == [("users.created", "api_key")]


def test_an_address_that_entra_adds_by_its_type_is_added(directory: Directory, neighbour: Workspace) -> None:
    made = directory.add_user()
    path = f"/Users/{made['id']}"
    adding = {"op": "Add", "path": 'emails[type eq "work"].value', "value": "w@example.org"}
    assert directory.patch(path, adding).status_code == 204
    assert said(directory.ask("GET", path))["emails"] == [{"value": "w@example.org", "type": "work"}]


def test_teams_that_nobody_may_fill_stay_as_they_are(
    acme: Workspace, directory: Directory, neighbour: Workspace
) -> None:
    with inside(acme.home):
        team = db().scalars(select(Team).where(Team.name == "North")).one()
    shown = said(directory.ask("GET", f"/Groups/{team.id}"))
    assert str(acme.sales.user_id) in {each["value"] for each in shown["members"]}
