"""Codes and tokens in the wrong hands, at the wrong time, or twice: refused, and what they say stays out of logs."""

import base64
import io
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import structlog
from sqlalchemy import delete, select, update

from tenants.access.caller import SYSTEM, act_as
from tenants.catalog.registry import Home
from tenants.foundation import logs
from tenants.foundation.clock import now
from tenants.foundation.identifiers import new_token, token_hash
from tenants.http.rate_limits import Allowance
from tenants.identity.models import User, UserRole
from tenants.identity.oauth import endpoints
from tenants.identity.oauth.models import ConnectedApp, OAuthToken
from tenants.identity.standings import standing_of
from tenants.isolation.door import db, inside
from tests.apps import App, register
from tests.workspace import Workspace

TOKENS = OAuthToken.__table__
APPS = ConnectedApp.__table__


@pytest.fixture
def app_of_acme(acme: Workspace) -> App:
    return register(acme, "contacts:read", "contacts:create")


def change_token(home: Home, secret: str, **values: Any) -> None:
    with inside(home):
        db().execute(update(TOKENS).where(TOKENS.c.hash == token_hash(secret)).values(**values))


def change_app(home: Home, secret: str, **values: Any) -> None:
    with inside(home):
        app_id = select(TOKENS.c.connected_app_id).where(TOKENS.c.hash == token_hash(secret))
        db().execute(update(APPS).where(APPS.c.id == app_id.scalar_subquery()).values(**values))


def refusal(answer) -> tuple[int, str]:
    """Status and word of a refusal in the form of RFC 6749, which holds nothing that was sent."""
    assert answer.content_type == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json.keys() <= {"error", "error_description"}
    return answer.status_code, answer.json["error"]


def test_a_code_that_comes_twice_ends_what_came_of_it(app_of_acme: App, acme: Workspace, neighbour) -> None:
    code = app_of_acme.code(acme.sales)
    first = app_of_acme.exchange(code).json
    assert app_of_acme.get("/contacts", first["access_token"]).status_code == 200
    assert refusal(app_of_acme.exchange(code)) == (400, "invalid_grant")
    assert app_of_acme.get("/contacts", first["access_token"]).status_code == 401
    assert refusal(app_of_acme.refresh(first["refresh_token"])) == (400, "invalid_grant")
    other = register(neighbour, "contacts:read").connected(neighbour.sales)
    assert app_of_acme.get("/contacts", other["access_token"]).status_code == 200


def test_a_code_after_its_minute(app_of_acme: App, acme: Workspace, neighbour: Workspace) -> None:
    code = app_of_acme.code(acme.sales)
    change_token(acme.home, code, expires_at=now() - timedelta(seconds=1))
    assert refusal(app_of_acme.exchange(code)) == (400, "invalid_grant")
    theirs = register(neighbour, "contacts:read")
    assert theirs.exchange(theirs.code(neighbour.sales)).status_code == 200


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"code_verifier": None}, "invalid_request"),
        ({"code_verifier": "x" * 64}, "invalid_grant"),
        ({"code_verifier": "x" * 10}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_grant"),
        ({"redirect_uri": "https://evil.example.test/back"}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": None}, "unsupported_grant_type"),
    ],
    ids=str,
)
@pytest.mark.parametrize("confidential", [True, False])
def test_a_stolen_code_without_what_belongs_to_it(
    acme: Workspace, neighbour: Workspace, changed, word, confidential
) -> None:
    for workspace in (acme, neighbour):
        app = register(workspace, "contacts:read", confidential=confidential)
        code = app.code(workspace.sales)
        whole = {"grant_type": "authorization_code", "code": code, "code_verifier": app.verifier}
        answer = app.asks_token(**{**whole, "redirect_uri": app.back, **changed})
        assert refusal(answer) == (400, word)
        assert app.exchange(code).status_code == 200, "the refusal used the code up"


def test_pkce_can_not_be_left_out_by_sending_the_challenge_as_the_verifier(
    app_of_acme: App, acme: Workspace, neighbour: Workspace
) -> None:
    for app, workspace in ((app_of_acme, acme), (register(neighbour, "contacts:read"), neighbour)):
        code = app.code(workspace.sales)
        assert refusal(app.exchange(code, code_verifier=app.challenge)) == (400, "invalid_grant")


def test_another_apps_code_and_refresh_token(acme: Workspace, neighbour: Workspace) -> None:
    mine = register(acme, "contacts:read")
    code, tokens = mine.code(acme.sales), mine.connected(acme.sales)
    for thief in (
        register(acme, "contacts:read"),
        register(acme, "contacts:read", confidential=False),
        register(neighbour, "contacts:read"),
        register(neighbour, "contacts:read", confidential=False),
    ):
        thief.verifier = mine.verifier
        assert refusal(thief.exchange(code)) == (400, "invalid_grant")
        assert refusal(thief.refresh(tokens["refresh_token"])) == (400, "invalid_grant")
        assert thief.asks_token("/oauth/revoke", token=tokens["refresh_token"]).status_code == 200
        asked = thief.asks_token("/oauth/introspect", token=tokens["access_token"])
        if thief.secret:
            assert asked.json == {"active": False}
        else:
            assert refusal(asked) == (401, "invalid_client")
    assert mine.get("/contacts", tokens["access_token"]).status_code == 200
    assert mine.exchange(code).status_code == 200
    assert mine.refresh(tokens["refresh_token"]).status_code == 200


def test_a_client_that_can_not_show_who_it_is(acme: Workspace, neighbour: Workspace) -> None:
    app, public = register(acme, "contacts:read"), register(acme, "contacts:read", confidential=False)
    other = register(neighbour, "contacts:read")
    code = app.code(acme.sales)
    said = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": app.back,
        "code_verifier": app.verifier,
    }

    def basic(name: str, secret: str) -> dict[str, str]:
        return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}

    wrong = [
        ({"client_id": app.client_id}, {}),
        ({"client_id": app.client_id, "client_secret": new_token("fhx", acme.home.id)}, {}),
        ({"client_id": app.client_id, "client_secret": other.secret}, {}),
        ({"client_id": public.client_id, "client_secret": "x"}, {}),
        ({"client_id": f"fhc_{acme.home.id.hex}_{'0' * 32}"}, {}),
        ({"client_id": f"fhc_{neighbour.home.id.hex}_{app.client_id[-32:]}"}, {}),
        ({"client_id": app.client_id.upper()}, {}),
        ({}, {}),
        ({}, basic(app.client_id, "x")),
        ({}, basic(other.client_id, app.secret or "")),
        ({}, {"Authorization": "Basic \xff"}),
        ({}, {"Authorization": "Basic not base64"}),
        ({}, {"Authorization": "Basic " + base64.b64encode(b"\xff\xfe:x").decode()}),
        ({}, {"Authorization": f"Bearer {acme.admin.key}"}),
    ]
    for fields, headers in wrong:
        answer = app.flask.post("/oauth/token", data=said | fields, headers=headers)
        assert refusal(answer) == (401, "invalid_client"), fields
        assert answer.headers["WWW-Authenticate"].startswith("Basic")
    both = app.flask.post(
        "/oauth/token",
        data=said | {"client_id": app.client_id, "client_secret": app.secret},
        headers=basic(app.client_id, app.secret or ""),
    )
    assert refusal(both) == (400, "invalid_request")
    assert app.exchange(code).status_code == 200


def test_guessing_at_the_token_endpoint_runs_into_the_allowance(
    acme: Workspace, neighbour: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "PER_CLIENT", Allowance("oauth-client-tested", 3, 3600))
    app, other = register(acme, "contacts:read"), register(neighbour, "contacts:read")
    guesses = [app.refresh(new_token("fhr", acme.home.id)) for _ in range(4)]
    assert [refusal(each)[0] for each in guesses] == [400, 400, 400, 429]
    assert refusal(guesses[3]) == (429, "temporarily_unavailable")
    assert int(guesses[3].headers["Retry-After"]) > 0
    assert refusal(other.refresh(new_token("fhr", neighbour.home.id))) == (400, "invalid_grant")


def test_parameter_pollution_at_the_token_endpoint(app_of_acme: App, acme: Workspace, neighbour) -> None:
    code = app_of_acme.code(acme.sales)
    said = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", app_of_acme.back),
        ("code_verifier", app_of_acme.verifier),
        ("client_id", app_of_acme.client_id),
        ("client_secret", app_of_acme.secret),
    ]
    flask = app_of_acme.flask
    from werkzeug.datastructures import MultiDict

    for name in ("grant_type", "code", "redirect_uri", "code_verifier", "client_id", "client_secret", "x"):
        twice = MultiDict([*said, (name, "other"), (name, "another")])
        assert refusal(flask.post("/oauth/token", data=twice)) == (400, "invalid_request")
    for path in (f"/oauth/token?code={code}", "/oauth/token?client_id=x", "/oauth/token?x="):
        assert refusal(flask.post(path, data=dict(said))) == (400, "invalid_request")
    assert refusal(flask.post("/oauth/token", json=dict(said))) == (400, "invalid_request")
    assert refusal(flask.post("/oauth/token", data=dict(said) | {"code": 'é"\\'})) == (400, "invalid_request")
    assert flask.post("/oauth/token", data=dict(said)).status_code == 200
    assert register(neighbour, "contacts:read").connected(neighbour.sales)["token_type"] == "Bearer"


def test_a_lost_answer_can_be_asked_for_again_within_seconds(
    app_of_acme: App, acme: Workspace, neighbour: Workspace
) -> None:
    first = app_of_acme.connected(acme.sales)["refresh_token"]
    answers = [app_of_acme.refresh(first).json for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert app_of_acme.get("/contacts", answers[2]["access_token"]).status_code == 200
    assert neighbour.admin.get("/connected-apps?limit=1").status_code == 200


def test_a_refresh_token_that_comes_again_later_ends_the_family(
    app_of_acme: App, acme: Workspace, neighbour: Workspace
) -> None:
    first = app_of_acme.connected(acme.sales)["refresh_token"]
    second = app_of_acme.refresh(first).json
    change_token(acme.home, first, used_at=now() - timedelta(seconds=21))
    assert refusal(app_of_acme.refresh(first)) == (400, "invalid_grant")
    assert app_of_acme.get("/contacts", second["access_token"]).status_code == 401
    assert refusal(app_of_acme.refresh(second["refresh_token"])) == (400, "invalid_grant")
    (shown,) = acme.sales.get("/connected-apps?sort=-created_at&limit=1").json["data"]
    assert shown["revoked_because"] == "token_reused"
    assert shown["id"] not in neighbour.admin.get("/connected-apps?limit=200").get_data(as_text=True)


def test_a_thief_who_comes_after_the_next_refresh_ends_the_family_even_within_seconds(
    app_of_acme: App, acme: Workspace, neighbour: Workspace
) -> None:
    first = app_of_acme.connected(acme.sales)["refresh_token"]
    second = app_of_acme.refresh(first).json["refresh_token"]
    third = app_of_acme.refresh(second).json
    assert refusal(app_of_acme.refresh(first)) == (400, "invalid_grant")
    assert app_of_acme.get("/contacts", third["access_token"]).status_code == 401
    assert register(neighbour, "contacts:read").connected(neighbour.sales)


def test_a_family_ends_however_often_it_was_refreshed(app_of_acme: App, acme: Workspace, neighbour) -> None:
    tokens = app_of_acme.connected(acme.sales)
    for _ in range(2):
        tokens = app_of_acme.refresh(tokens["refresh_token"]).json
    with inside(acme.home):
        ends = select(TOKENS.c.expires_at, APPS.c.expires_at, APPS.c.created_at).join(
            APPS, APPS.c.id == TOKENS.c.connected_app_id
        )
        last, end, began = (
            db().execute(ends.where(TOKENS.c.hash == token_hash(tokens["refresh_token"]))).one()
        )
    assert last == end
    assert timedelta(days=29) < end - began <= timedelta(days=30, seconds=5)
    change_app(acme.home, tokens["refresh_token"], expires_at=now())
    assert refusal(app_of_acme.refresh(tokens["refresh_token"])) == (400, "invalid_grant")
    assert app_of_acme.get("/contacts", tokens["access_token"]).status_code == 401
    assert register(neighbour, "contacts:read").connected(neighbour.sales)


def test_a_refresh_can_not_widen_what_was_granted(acme: Workspace, neighbour: Workspace) -> None:
    for workspace in (acme, neighbour):
        app = register(workspace, "contacts:read", "deals:read")
        tokens = app.connected(workspace.sales, scope="contacts:read")
        assert tokens["scope"] == "contacts:read"
        widened = app.refresh(tokens["refresh_token"], scope="contacts:read deals:read")
        assert refusal(widened) == (400, "invalid_scope")
        assert app.refresh(tokens["refresh_token"]).json["scope"] == "contacts:read"
        assert app.get("/deals", tokens["access_token"]).status_code == 403


def test_one_kind_of_token_in_the_place_of_another(app_of_acme: App, acme: Workspace, neighbour) -> None:
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


def test_a_repeated_request_is_one_even_with_the_next_token(
    app_of_acme: App, acme: Workspace, neighbour: Workspace
) -> None:
    tokens = app_of_acme.connected(acme.sales)
    key = {"Idempotency-Key": "one and the same"}
    first = app_of_acme.post("/contacts", tokens["access_token"], {"last_name": "Once"}, **key)
    renewed = app_of_acme.refresh(tokens["refresh_token"]).json["access_token"]
    again = app_of_acme.post("/contacts", renewed, {"last_name": "Once"}, **key)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json["id"] == first.json["id"]
    other = register(acme, "contacts:read", "contacts:create").connected(acme.sales)["access_token"]
    fresh = app_of_acme.post("/contacts", other, {"last_name": "Once"}, **key)
    assert fresh.json["id"] != first.json["id"]
    assert neighbour.admin.get(f"/contacts/{first.json['id']}").status_code == 404


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


@pytest.fixture
def lines() -> Iterator[io.BytesIO]:
    """Everything that is logged meanwhile, at the most talkative level."""
    before = structlog.get_config()
    written = io.BytesIO()
    logs.set_up("debug")
    structlog.configure(logger_factory=structlog.BytesLoggerFactory(written))
    yield written
    structlog.configure(**before)


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
