"""Codes and tokens in the wrong hands, at the wrong time, or twice: refused, and what they say stays out of logs."""

import io
import json
from collections.abc import Callable

import pytest
from sqlalchemy import delete, select

from tenants.access.caller import SYSTEM, act_as
from tenants.identity.models import User, UserRole
from tenants.identity.oauth.models import ConnectedApp
from tenants.identity.standings import standing_of
from tenants.isolation.door import db, inside
from tests.apps import App, register
from tests.tenants.identity.oauth.refusals import APPS, TOKENS, refusal
from tests.workspace import Workspace


def test_one_kind_of_token_does_not_stand_in_for_another(
    app_of_acme: App, acme: Workspace, neighbour
) -> None:
    code = app_of_acme.code(acme.sales)
    tokens = app_of_acme.connected(acme.sales)
    secret = tokens["refresh_token"].split("_", 2)[2]
    for wrong in (
        code,
        tokens["refresh_token"],
        f"fha_{acme.home.id.hex}_{secret}",
        tokens["access_token"].replace("fha_", "fhk_"),
        tokens["access_token"].replace(acme.home.id.hex, neighbour.home.id.hex),
        app_of_acme.secret or "",
        app_of_acme.client_id,
    ):
        assert app_of_acme.get("/contacts", wrong).status_code == 401
    assert refusal(app_of_acme.refresh(tokens["access_token"])) == (400, "invalid_grant")
    assert refusal(app_of_acme.exchange(tokens["refresh_token"])) == (400, "invalid_grant")
    cookie = {"Cookie": f"freehold_session={tokens['access_token']}"}
    assert app_of_acme.flask.get("/api/v1/contacts", headers=cookie).status_code == 401


def test_an_app_can_not_do_what_only_people_may(new_workspace, neighbour: Workspace) -> None:
    workspace = new_workspace()
    app = register(workspace, "contacts:read", "api-keys:read", "oauth-clients:read", "connected-apps:read")
    token = app.connected(workspace.admin)["access_token"]
    for path, body in (
        ("/api-keys", {"name": "Mine"}),
        (
            "/oauth-clients",
            {"name": "Mine", "scopes": ["contacts:read"], "redirect_uris": ["https://a.test/"]},
        ),
    ):
        assert app.get(path, token).status_code == 200
        answer = app.post(path, token, body)
        assert answer.status_code == 403
    assert app.get("/sessions", token).status_code == 200
    assert neighbour.admin.get(f"/oauth-clients/{app.id}").status_code == 404


Meanwhile = Callable[[Workspace, App], object]


def user_deactivated(workspace: Workspace, _app: App) -> None:
    with inside(workspace.home):
        act_as(SYSTEM)
        db().get_one(User, workspace.sales.user_id).state = "inactive"


def app_deleted(workspace: Workspace, app: App) -> None:
    assert workspace.admin.in_person.delete(f"/oauth-clients/{app.id}").status_code == 204


def app_disconnected(workspace: Workspace, _app: App) -> None:
    (mine,) = workspace.sales.get("/connected-apps").json["data"]
    assert workspace.sales.in_person.delete(f"/connected-apps/{mine['id']}").status_code == 204


def app_disconnected_by_the_admin(workspace: Workspace, _app: App) -> None:
    (one,) = workspace.admin.get(f"/connected-apps?user_id={workspace.sales.user_id}").json["data"]
    assert workspace.admin.in_person.delete(f"/connected-apps/{one['id']}").status_code == 204


def token_leaked(workspace: Workspace, app: App) -> None:
    found = {"secret": app.found}  # type: ignore[attr-defined]
    assert app.flask.post("/api/v1/api-keys/leaked", json=found).status_code == 204


@pytest.mark.parametrize(
    "meanwhile",
    [user_deactivated, app_deleted, app_disconnected, app_disconnected_by_the_admin, token_leaked],
)
def test_what_happens_meanwhile_stops_the_next_request(
    new_workspace, neighbour: Workspace, meanwhile: Meanwhile
) -> None:
    workspace = new_workspace()
    app = register(workspace, "contacts:read")
    tokens = app.connected(workspace.sales)
    app.found = tokens["access_token"]  # type: ignore[attr-defined]
    assert app.get("/contacts", tokens["access_token"]).status_code == 200
    meanwhile(workspace, app)
    assert app.get("/contacts", tokens["access_token"]).status_code == 401
    status, word = refusal(app.refresh(tokens["refresh_token"]))
    assert (status, word) in ((400, "invalid_grant"), (401, "invalid_client"))
    assert neighbour.sales.get("/contacts").status_code == 200


def test_a_role_revoked_meanwhile_is_gone_with_the_next_request(new_workspace, neighbour: Workspace) -> None:
    workspace = new_workspace()
    app = register(workspace, "contacts:read")
    token = app.connected(workspace.sales)["access_token"]
    assert app.get("/contacts", token).status_code == 200
    with inside(workspace.home):
        db().execute(delete(UserRole).where(UserRole.user_id == workspace.sales.user_id))
    assert app.get("/contacts", token).status_code == 403
    assert neighbour.sales.get("/contacts").status_code == 200


def test_a_scope_that_the_app_lost_meanwhile_is_gone_with_the_next_request(
    new_workspace, neighbour: Workspace
) -> None:
    workspace = new_workspace()
    app = register(workspace, "contacts:read", "deals:read")
    tokens = app.connected(workspace.sales)
    narrowed = workspace.admin.in_person.patch(f"/oauth-clients/{app.id}", {"scopes": ["deals:read"]})
    assert narrowed.status_code == 200
    assert app.get("/contacts", tokens["access_token"]).status_code == 403
    assert app.get("/deals", tokens["access_token"]).status_code == 200
    assert app.refresh(tokens["refresh_token"]).json["scope"] == "deals:read"
    assert (
        workspace.admin.in_person.patch(f"/oauth-clients/{app.id}", {"scopes": ["users:read"]}).status_code
        == 200
    )
    assert app.get("/deals", tokens["access_token"]).status_code == 403
    assert neighbour.admin.in_person.patch(f"/oauth-clients/{app.id}", {"name": "x"}).status_code == 404


def test_an_app_that_acts_by_itself_stops_when_it_acts_as_somebody_else(
    new_workspace, neighbour: Workspace
) -> None:
    workspace = new_workspace()
    app = register(workspace, "contacts:read", redirect_uris=[], user_id=str(workspace.sales.user_id))
    token = app.asks_token(grant_type="client_credentials").json["access_token"]
    assert refusal(app.asks_token(grant_type="client_credentials", scope="users:read")) == (
        400,
        "invalid_scope",
    )
    changed = {"user_id": str(workspace.manager.user_id)}
    assert workspace.admin.in_person.patch(f"/oauth-clients/{app.id}", changed).status_code == 200
    assert app.get("/contacts", token).status_code == 401
    token = app.asks_token(grant_type="client_credentials").json["access_token"]
    assert app.get("/me", token).json["user"]["id"] == str(workspace.manager.user_id)
    with inside(workspace.home):
        act_as(SYSTEM)
        db().get_one(User, workspace.manager.user_id).state = "inactive"
    assert refusal(app.asks_token(grant_type="client_credentials")) == (400, "invalid_grant")
    assert neighbour.manager.get("/contacts").status_code == 200


def test_public_apps_and_apps_that_people_connect_do_not_act_by_themselves(
    acme: Workspace, neighbour: Workspace
) -> None:
    for workspace in (acme, neighbour):
        connected = register(workspace, "contacts:read")
        assert refusal(connected.asks_token(grant_type="client_credentials")) == (400, "unauthorized_client")
        public = register(workspace, "contacts:read", confidential=False)
        assert refusal(public.asks_token(grant_type="client_credentials")) == (401, "invalid_client")
        own = {"user_id": str(workspace.admin.user_id), "confidential": False, "scopes": ["contacts:read"]}
        answer = workspace.admin.in_person.post("/oauth-clients", {"name": "x", "redirect_uris": [], **own})
        assert answer.status_code == 422


def test_an_app_learns_what_its_own_token_is_good_for(acme: Workspace, neighbour: Workspace) -> None:
    app = register(acme, "contacts:read")
    tokens = app.connected(acme.sales)
    said = app.asks_token("/oauth/introspect", token=tokens["access_token"]).json
    assert said["active"] is True
    assert (said["client_id"], said["scope"], said["sub"]) == (
        app.client_id,
        "contacts:read",
        str(acme.sales.user_id),
    )
    assert app.asks_token("/oauth/revoke", token=tokens["access_token"]).status_code == 200
    for nothing in (
        tokens["access_token"],
        "nonsense",
        app.code(acme.sales),
        acme.admin.key,
        neighbour.admin.key,
    ):
        assert app.asks_token("/oauth/introspect", token=nothing).json == {"active": False}
    assert app.get("/contacts", tokens["access_token"]).status_code == 401
    renewed = app.refresh(tokens["refresh_token"]).json
    assert app.get("/contacts", renewed["access_token"]).status_code == 200
    assert app.asks_token("/oauth/revoke", token=renewed["refresh_token"]).status_code == 200
    assert app.get("/contacts", renewed["access_token"]).status_code == 401


def test_work_that_an_app_asked_for_stops_when_it_is_disconnected(
    new_workspace, neighbour: Workspace
) -> None:
    workspace = new_workspace()
    app = register(workspace, "contacts:read")
    app.connected(workspace.sales)
    (mine,) = workspace.sales.get("/connected-apps").json["data"]

    def standing(user_id):
        from uuid import UUID

        with inside(workspace.home):
            return standing_of(user_id, "oauth", UUID(mine["id"]))

    found = standing(workspace.sales.user_id)
    assert found is not None
    assert set(found.rights) == {"contacts:read"}
    assert standing(workspace.manager.user_id) is None
    app_disconnected(workspace, app)
    assert standing(workspace.sales.user_id) is None
    assert neighbour.sales.get("/connected-apps").status_code == 200


def test_a_secret_that_was_renewed_opens_nothing_any_more(acme: Workspace, neighbour: Workspace) -> None:
    app = register(acme, "contacts:read", redirect_uris=[], user_id=str(acme.admin.user_id))
    assert neighbour.admin.in_person.post(f"/oauth-clients/{app.id}/secret").status_code == 404
    renewed = acme.admin.in_person.post(f"/oauth-clients/{app.id}/secret")
    assert renewed.status_code == 201
    assert refusal(app.asks_token(grant_type="client_credentials")) == (401, "invalid_client")
    app.secret = renewed.json["client_secret"]
    assert app.asks_token(grant_type="client_credentials").status_code == 200
    shown = acme.admin.get(f"/oauth-clients/{app.id}")
    assert app.secret not in shown.get_data(as_text=True)
    assert shown.json["client_id"] == app.client_id


@pytest.mark.promise("1-14")
def test_no_token_gets_into_a_log_or_the_audit_or_a_table(
    acme: Workspace, neighbour: Workspace, lines: io.BytesIO, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    app = register(acme, "contacts:read")
    code = app.code(acme.sales)
    tokens = app.exchange(code).json
    renewed = app.refresh(tokens["refresh_token"]).json
    app.exchange(code)
    app.get("/contacts", renewed["access_token"])
    app.asks_token("/oauth/introspect", token=renewed["access_token"])
    app.flask.post("/api/v1/api-keys/leaked", json={"secret": renewed["access_token"]})
    neighbour.admin.get("/contacts")
    secrets = [
        each.split("_", 2)[2]
        for each in (
            code,
            app.secret or "",
            *(answer[name] for answer in (tokens, renewed) for name in ("access_token", "refresh_token")),
        )
    ]
    audited = acme.admin.get("/audit-events?limit=200").get_data(as_text=True)
    with inside(acme.home):
        rows = [
            json.dumps([repr(value) for value in row])
            for table in (TOKENS, APPS, ConnectedApp.metadata.tables["oauth_clients"])
            for row in db().execute(select(table))
        ]
    for said in (lines.getvalue().decode(), caplog.text, audited, "".join(rows)):
        assert said
        assert not [each for each in secrets if each in said]
