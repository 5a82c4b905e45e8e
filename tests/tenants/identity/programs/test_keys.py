"""API keys: made by a person, no wider than they are, followed by another, and revoked by whoever finds one."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.foundation.identifiers import new_id, new_token
from tenants.foundation.settings import Settings
from tenants.identity.models import User
from tenants.identity.oauth.models import OAuthToken
from tenants.identity.programs.models import ApiKey
from tenants.isolation.door import db, inside
from tests.apps import register
from tests.mails import posted
from tests.workspace import Client, Workspace

KEYS = ApiKey.__table__


def made(client: Client, **said) -> dict:
    answer = client.in_person.post("/api-keys", {"name": "Robot", **said})
    assert answer.status_code == 201, answer.json
    return answer.json


def asks(client: Client, secret: str, path: str = "/contacts") -> int:
    headers = {"Authorization": f"Bearer {secret}"}
    return client.flask.get(f"/api/v1{path}", headers=headers).status_code


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.promise("1-32")
def test_a_key_ends_when_it_was_said_to(acme: Workspace, neighbour: Workspace) -> None:
    ends = (now() + timedelta(days=1)).isoformat()
    key = made(acme.admin, expires_at=ends, scopes=["contacts:read"])
    assert (asks(acme.admin, key["secret"]), asks(acme.admin, key["secret"], "/deals")) == (200, 403)
    with inside(acme.home):
        db().execute(update(KEYS).where(KEYS.c.hint == key["hint"]).values(expires_at=now()))
    assert asks(acme.admin, key["secret"]) == 401
    assert neighbour.admin.get(f"/api-keys/{key['id']}").status_code == 404


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"scopes": ["nonsense"]}, "scopes"),
        ({"name": ""}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"user_id": "01900000-0000-7000-8000-000000000000"}, "user_id"),
        ({"last_used_at": "2020-01-01T00:00:00Z"}, "last_used_at"),
    ],
    ids=str,
)
def test_what_can_not_be_said_of_a_key(acme: Workspace, neighbour: Workspace, said, field) -> None:
    for workspace in (acme, neighbour):
        answer = workspace.admin.in_person.post("/api-keys", {"name": "Robot", **said})
        assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


@pytest.mark.promise("1-32")
def test_scope_escalation_by_a_key(new_workspace, neighbour: Workspace) -> None:
    from tenants.identity.models import Role, UserRole

    workspace = new_workspace()
    with inside(workspace.home):
        act_as(SYSTEM)
        role = Role(name="maker", permissions={"api-keys:create": "own"}, source="system")
        db().add(role)
        db().flush()
        db().add(UserRole(user_id=workspace.sales.user_id, role_id=role.id))
    person = workspace.sales.in_person
    beyond = person.post("/api-keys", {"name": "Robot", "scopes": ["contacts:read", "users:create"]})
    assert (beyond.status_code, list(beyond.json["errors"])) == (422, ["scopes"])
    key = made(workspace.sales)["secret"]
    program = {"Authorization": f"Bearer {key}"}
    flask = workspace.sales.flask
    for path in ("/api/v1/api-keys", "/api/v1/oauth-clients"):
        refused = flask.post(path, json={"name": "Next", "scopes": ["contacts:read"]}, headers=program)
        assert refused.status_code == 403
    (own,) = [each for each in person.get("/api-keys").json["data"] if each["name"] == "Robot"]
    rotated = flask.post(f"/api/v1/api-keys/{own['id']}/rotation", json={"grace_seconds": 0}, headers=program)
    assert (rotated.status_code, rotated.json["code"]) == (403, "needs_session")
    gone = flask.delete(f"/api/v1/api-keys/{own['id']}", headers=program)
    assert (gone.status_code, gone.json["code"]) == (403, "needs_session")
    assert neighbour.admin.get(f"/api-keys/{own['id']}").status_code == 404


def test_one_sees_and_revokes_ones_own_keys_and_an_admin_everybodys(
    acme: Workspace, neighbour: Workspace
) -> None:
    mine = {each["user_id"] for each in acme.sales.get("/api-keys?limit=200").json["data"]}
    assert mine == {str(acme.sales.user_id)}
    every = {each["user_id"] for each in acme.admin.get("/api-keys?limit=200").json["data"]}
    assert {str(acme.sales.user_id), str(acme.admin.user_id)} <= every
    assert str(neighbour.admin.user_id) not in every
    admins = made(acme.admin)["id"]
    assert acme.sales.get(f"/api-keys/{admins}").status_code == 404
    assert acme.sales.in_person.delete(f"/api-keys/{admins}").status_code == 404
    assert neighbour.admin.in_person.delete(f"/api-keys/{admins}").status_code == 404
    assert acme.sales.in_person.post("/api-keys", {"name": "Mine"}).status_code == 403


def test_the_key_before_goes_on_for_as_long_as_was_said(acme: Workspace, neighbour: Workspace) -> None:
    first = made(acme.admin, scopes=["contacts:read"], expires_at=(now() + timedelta(days=30)).isoformat())
    path = f"/api-keys/{first['id']}/rotation"
    assert neighbour.admin.in_person.post(path, {"grace_seconds": 60}).status_code == 404
    second = acme.admin.in_person.post(path, {"grace_seconds": 60})
    assert second.status_code == 201
    new = second.json
    assert (new["replaces_id"], new["scopes"], new["name"]) == (first["id"], ["contacts:read"], "Robot")
    assert timedelta(days=29) < moment(new["expires_at"]) - datetime.now(UTC) <= timedelta(days=30)
    assert [asks(acme.admin, each["secret"]) for each in (first, new)] == [200, 200]
    shown = acme.admin.get(f"/api-keys/{first['id']}").json
    assert moment(shown["expires_at"]) - datetime.now(UTC) <= timedelta(seconds=60)
    with inside(acme.home):
        db().execute(update(KEYS).where(KEYS.c.id == first["id"]).values(expires_at=now()))
    assert [asks(acme.admin, each["secret"]) for each in (first, new)] == [401, 200]
    again = acme.admin.in_person.post(path, {"grace_seconds": 60})
    assert (again.status_code, again.json["code"]) == (409, "gone")


def test_a_rotation_without_grace_ends_the_key_before_at_once(acme: Workspace, neighbour: Workspace) -> None:
    for workspace in (acme, neighbour):
        first = made(workspace.admin)
        path = f"/api-keys/{first['id']}/rotation"
        for wrong in (-1, 24 * 3600 + 1, "60", None, 1.5):
            assert workspace.admin.in_person.post(path, {"grace_seconds": wrong}).status_code == 422
        new = workspace.admin.in_person.post(path, {"grace_seconds": 0}).json
        assert [asks(workspace.admin, each["secret"]) for each in (first, new)] == [401, 200]


def test_impersonation_by_rotating_somebody_elses_key(acme: Workspace, neighbour: Workspace) -> None:
    theirs = acme.sales.get("/api-keys").json["data"][0]["id"]
    answer = acme.admin.in_person.post(f"/api-keys/{theirs}/rotation", {"grace_seconds": 60})
    assert (answer.status_code, answer.json["code"]) == (409, "not_yours")
    assert "secret" not in answer.json
    assert neighbour.sales.get("/contacts").status_code == 200


def test_the_key_of_a_user_who_left_opens_nothing(new_workspace, neighbour: Workspace) -> None:
    workspace = new_workspace()
    assert workspace.sales.get("/contacts").status_code == 200
    with inside(workspace.home):
        act_as(SYSTEM)
        db().get_one(User, workspace.sales.user_id).state = "inactive"
    assert workspace.sales.get("/contacts").status_code == 401
    assert neighbour.sales.get("/contacts").status_code == 200


def hand_in(app: Flask, secret: str):
    return app.test_client().post("/api/v1/api-keys/leaked", json={"secret": secret})


@pytest.mark.promise("1-32")
def test_a_leaked_key_is_dead_as_soon_as_anybody_hands_it_in(
    app: Flask, new_workspace, neighbour: Workspace
) -> None:
    workspace = new_workspace()
    key = workspace.sales.key
    assert hand_in(app, key).status_code == 204
    assert workspace.sales.get("/contacts").status_code == 401
    assert neighbour.sales.get("/contacts").status_code == 200
    for address in ("sales", "ada"):
        (mail,) = posted(workspace, f"{address}@{_slug(workspace)}.test")
        assert key not in mail.text
        assert key[-4:] in mail.text
    assert posted(workspace, f"read-only@{_slug(workspace)}.test") == []
    events = workspace.admin.get("/audit-events?action=api-keys.leaked").json["data"]
    assert len(events) == 1
    assert hand_in(app, key).status_code == 204
    assert len(posted(workspace, f"sales@{_slug(workspace)}.test")) == 1


def _slug(workspace: Workspace) -> str:
    from tenants.identity.models import TenantProfile

    with inside(workspace.home):
        return str(db().scalar(select(TenantProfile.slug)))


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["code", "access", "refresh", "secret"])
def test_a_leaked_token_ends_the_whole_connection(
    app: Flask, new_workspace, neighbour: Workspace, kind: str
) -> None:
    workspace = new_workspace()
    made_app = register(workspace, "contacts:read")
    code = made_app.code(workspace.sales)
    tokens = made_app.exchange(code).json
    leaked = {
        "code": code,
        "access": tokens["access_token"],
        "refresh": tokens["refresh_token"],
        "secret": made_app.secret,
    }[kind]
    assert hand_in(app, leaked).status_code == 204
    assert made_app.get("/contacts", tokens["access_token"]).status_code == 401
    refused = made_app.refresh(tokens["refresh_token"])
    assert refused.json["error"] == ("invalid_client" if kind == "secret" else "invalid_grant")
    assert len(posted(workspace, f"ada@{_slug(workspace)}.test")) == 1
    assert neighbour.sales.get("/contacts").status_code == 200


def test_enumeration_by_handing_in_what_may_be_a_secret(
    app: Flask, new_workspace, neighbour: Workspace
) -> None:
    workspace = new_workspace()
    real = made(workspace.admin)["secret"]
    ours, theirs = workspace.home.id, neighbour.home.id
    tried = [
        real,
        new_token("fhk", ours),
        real.replace(ours.hex, theirs.hex),
        new_token("fhk", new_id()),
        new_token("fhs", ours),
        workspace.admin.session,
        "swordfish",
        "fhk_é",
        f"fhk_{ours.hex}_",
        "x" * 500,
    ]
    answers = [hand_in(app, each) for each in tried]
    assert {(each.status_code, each.get_data()) for each in answers} == {(204, b"")}
    compared = [
        {name: value for name, value in each.headers if name not in ("X-Request-Id", "RateLimit")}
        for each in answers
    ]
    assert all(each == compared[0] for each in compared)
    assert workspace.admin.in_person.get("/me").status_code == 200, "a session is not a program's secret"
    assert asks(workspace.admin, real) == 401


def test_old_tokens_are_forgotten_and_the_connection_stays(
    app: Flask, settings: Settings, new_workspace, neighbour: Workspace
) -> None:
    from tenants.identity.tidying import tidy_up

    workspace = new_workspace()
    made_app = register(workspace, "contacts:read")
    tokens = made_app.connected(workspace.sales)
    made_app.code(workspace.manager)
    tokens_table, long_ago = OAuthToken.__table__, now() - timedelta(days=8)
    with inside(workspace.home):
        act_as(SYSTEM)
        kinds = tokens_table.c.kind.in_(("code", "access"))
        db().execute(update(tokens_table).where(kinds).values(expires_at=long_ago))
        apps = KEYS.metadata.tables["connected_apps"]
        db().execute(update(apps).values(created_at=long_ago))
        tidy_up()
        left = db().scalars(select(OAuthToken.kind)).all()
    assert left == ["refresh"]
    (kept,) = workspace.admin.get("/connected-apps").json["data"]
    assert kept["user_id"] == str(workspace.sales.user_id)
    assert made_app.refresh(tokens["refresh_token"]).status_code == 200
    assert neighbour.admin.get(f"/connected-apps/{kept['id']}").status_code == 404
