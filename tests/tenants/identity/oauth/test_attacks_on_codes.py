"""Codes in the wrong hands, at the wrong time, or twice, and clients that are not who they say: refused."""

import base64
from datetime import timedelta

import pytest

from tenants.foundation.clock import now
from tenants.foundation.identifiers import new_token
from tenants.http.rate_limits import Allowance
from tenants.identity.oauth import endpoints
from tests.apps import App, register
from tests.tenants.identity.oauth.refusals import change_token, refusal
from tests.workspace import Workspace


def test_a_code_that_comes_twice_ends_what_came_of_it(app_of_acme: App, acme: Workspace, neighbour) -> None:
    code = app_of_acme.code(acme.sales)
    first = app_of_acme.exchange(code).json
    assert app_of_acme.get("/contacts", first["access_token"]).status_code == 200
    assert refusal(app_of_acme.exchange(code)) == (400, "invalid_grant")
    assert app_of_acme.get("/contacts", first["access_token"]).status_code == 401
    assert refusal(app_of_acme.refresh(first["refresh_token"])) == (400, "invalid_grant")
    other = register(neighbour, "contacts:read").connected(neighbour.sales)
    assert app_of_acme.get("/contacts", other["access_token"]).status_code == 200


def test_a_code_is_worth_nothing_after_its_minute(
    app_of_acme: App, acme: Workspace, neighbour: Workspace
) -> None:
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
def test_a_stolen_code_without_what_belongs_to_it_is_refused(
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


def test_another_apps_code_and_refresh_token_are_refused(acme: Workspace, neighbour: Workspace) -> None:
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


def test_a_client_that_can_not_show_who_it_is_is_refused(acme: Workspace, neighbour: Workspace) -> None:
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


def test_a_parameter_that_comes_twice_at_the_token_endpoint_is_refused(
    app_of_acme: App, acme: Workspace, neighbour
) -> None:
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
