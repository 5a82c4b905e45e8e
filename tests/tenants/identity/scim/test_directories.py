"""What a company's directory may do to users and groups, and what it may not."""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select

from tenants.access.caller import SYSTEM, act_as
from tenants.identity.founding import new_api_key
from tenants.identity.models import Role, Team, TeamRole, User, UserRole
from tenants.isolation.door import db, inside
from tests.tenants.identity.scim.directories import BULK, Directory, directory_key, new_user
from tests.workspace import Workspace


@pytest.fixture(scope="module")
def directory(app: Flask, acme: Workspace) -> Directory:
    return Directory(app.test_client(use_cookies=False), directory_key(acme))


@pytest.fixture(scope="module")
def theirs(app: Flask, neighbour: Workspace) -> Directory:
    """The directory of the neighbour."""
    return Directory(app.test_client(use_cookies=False), directory_key(neighbour))


def said(answer: Any) -> Any:
    assert answer.content_type == "application/scim+json"
    return answer.get_json(force=True)


def listed(directory: Directory, path: str, **query: Any) -> list[dict[str, Any]]:
    answer = directory.ask("GET", path, query_string=query)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return said(answer).get("Resources", [])


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


def test_filters_sorts_and_pages(acme: Workspace, directory: Directory, neighbour: Workspace) -> None:
    mark = secrets.token_hex(5)
    made = [directory.add_user(title=f"{mark} {n}", externalId=f"{mark}-{n}") for n in range(3)]
    by_title = listed(
        directory, "/Users", filter=f'title sw "{mark}"', sortBy="title", sortOrder="descending"
    )
    assert [each["id"] for each in by_title] == [each["id"] for each in reversed(made)]
    one = listed(directory, "/Users", filter=f'externalId eq "{mark}-1" and active eq true')
    assert [each["id"] for each in one] == [made[1]["id"]]
    first = directory.ask("GET", "/Users", query_string={"count": 2, "startIndex": 1}).get_json(force=True)
    second = directory.ask("GET", "/Users", query_string={"count": 2, "startIndex": 3}).get_json(force=True)
    assert (len(first["Resources"]), first["totalResults"]) == (2, second["totalResults"])
    assert not {each["id"] for each in first["Resources"]} & {each["id"] for each in second["Resources"]}


@pytest.mark.parametrize(
    "filtered",
    [
        "userName eq \"x' or '1'='1\"",
        'userName eq "x\\" or userName pr or userName eq \\"x"',
        'userName eq "%"',
        'externalId eq "\'); drop table users; --"',
        'id eq "00000000-0000-0000-0000-000000000000\' or true --"',
    ],
)
def test_a_filter_is_a_question_and_never_a_statement(
    directory: Directory, neighbour: Workspace, filtered: str
) -> None:
    assert listed(directory, "/Users", filter=filtered) == []


@pytest.mark.parametrize(
    "filtered", ["userName", "userName eq", 'nonsense eq "x"', "(" * 3000, 'userName eq "a\0b"']
)
def test_what_is_no_filter_is_refused_in_the_words_of_the_standard(
    directory: Directory, neighbour: Workspace, filtered: str
) -> None:
    answer = directory.ask("GET", "/Users", query_string={"filter": filtered})
    assert answer.status_code == 400
    assert said(answer)["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]


def test_a_version_that_is_no_longer_the_current_one_changes_nothing(
    acme: Workspace, directory: Directory, neighbour: Workspace
) -> None:
    made = directory.add_user()
    path, tag = f"/Users/{made['id']}", made["meta"]["version"]
    renaming = {"op": "replace", "path": "displayName", "value": "New"}
    assert directory.patch(path, renaming, headers={"If-Match": tag}).status_code == 204
    assert directory.patch(path, {**renaming, "value": "Newer"}, headers={"If-Match": tag}).status_code == 412
    assert directory.ask("GET", path, headers={"If-None-Match": tag}).status_code == 200


def test_in_bulk_what_fails_leaves_nothing_behind(
    acme: Workspace, directory: Directory, neighbour: Workspace
) -> None:
    taken = directory.add_user()["userName"]
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": "a", "data": new_user()},
        {"method": "POST", "path": "/Users", "bulkId": "b", "data": new_user(userName=taken)},
        {"method": "POST", "path": "/Groups", "bulkId": "c", "data": {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": secrets.token_hex(6),
            "members": [{"value": "bulkId:a"}],
        }},
    ]  # fmt: skip
    answer = directory.ask("POST", "/Bulk", {"schemas": [BULK], "Operations": operations})
    assert [each["status"] for each in said(answer)["Operations"]] == ["201", "409", "201"]
    group = said(answer)["Operations"][2]["location"].rpartition("/")[2]
    assert len(said(directory.ask("GET", f"/Groups/{group}"))["members"]) == 1
    events = acme.admin.get("/audit-events?resource=users&action=users.created&limit=200").json["data"]
    made = said(answer)["Operations"][0]["location"].rpartition("/")[2]
    assert [each["record_id"] for each in events].count(made) == 1


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


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/Users", b"{", 400),
        ("POST", "/Users", b"[]", 400),
        ("POST", "/Users", b'{"userName": "a\\u0000b@example.org"}', 400),
        ("POST", "/Users", b'{"userName": "\\ud800"}', 400),
        ("POST", "/Users", b"{}", 400),
        ("PUT", "/Users", b"{}", 405),
        ("GET", "/Nonsense", b"", 404),
        ("GET", "/Me", b"", 501),
        ("POST", "/Users", b"x" * 2_000_000, 413),
        ("PATCH", "/Users/not-an-id", b'{"Operations": []}', 400),
    ],
)
def test_bad_requests_are_refused_in_the_words_of_the_standard(
    directory: Directory, neighbour: Workspace, method: str, path: str, body: bytes, status: int
) -> None:
    headers = {"Authorization": f"Bearer {directory.key}", "Content-Type": "application/scim+json"}
    answer = directory.flask.open(f"/scim/v2{path}", method=method, data=body, headers=headers)
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert said(answer)["status"] == str(status)
    assert "psycopg" not in answer.get_data(as_text=True)


def test_teams_that_nobody_may_fill_stay_as_they_are(
    acme: Workspace, directory: Directory, neighbour: Workspace
) -> None:
    with inside(acme.home):
        team = db().scalars(select(Team).where(Team.name == "North")).one()
    shown = said(directory.ask("GET", f"/Groups/{team.id}"))
    assert str(acme.sales.user_id) in {each["value"] for each in shown["members"]}
