"""OAuth clients that are not our code, over HTTP: Authlib's and requests-oauthlib's go through the whole of it."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from flask import Flask
from requests_oauthlib import OAuth2Session as OAuthlibSession
from werkzeug.serving import BaseWSGIServer, make_server

from tests.apps import BACK, FIELD, App, register
from tests.workspace import Client, Workspace

VERIFIER = "v" * 64


@pytest.fixture(scope="module")
def url(app: Flask) -> Iterator[str]:
    """The application on a port of its own."""
    server: BaseWSGIServer = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def allowed(address: str, user: Client, url: str) -> str:
    """Where a browser ends up after its user pressed the first button."""
    cookies = {"freehold_session": user.session}
    page = requests.get(address, cookies=cookies, timeout=20)
    assert page.status_code == 200, page.text
    form = dict(FIELD.findall(page.text)) | {"decision": "allow"}
    back = requests.post(
        f"{url}/oauth/authorize", data=form, cookies=cookies, timeout=20, allow_redirects=False
    )
    assert back.status_code == 303, back.text
    return str(back.headers["Location"])


def goes_through(session: Any, app: App, user: Client, url: str, **secret: Any) -> dict[str, Any]:
    challenge = {"code_challenge": create_s256_code_challenge(VERIFIER), "code_challenge_method": "S256"}
    made = getattr(session, "create_authorization_url", None) or session.authorization_url
    address, state = made(f"{url}/oauth/authorize", **challenge)
    back = allowed(address, user, url)
    assert f"state={state}" in back
    token = session.fetch_token(
        f"{url}/oauth/token",
        authorization_response=back.replace("https://app.example.test", "https://localhost"),
        code_verifier=VERIFIER,
        **secret,
    )
    assert session.get(f"{url}/api/v1/contacts").status_code == 200
    assert session.post(f"{url}/api/v1/contacts", json={"last_name": "Weber"}).status_code == 403
    return dict(token)


def test_authlibs_client_goes_through(acme: Workspace, neighbour: Workspace, url: str) -> None:
    app = register(acme, "contacts:read")
    said = {
        "scope": "contacts:read",
        "redirect_uri": BACK,
        "token_endpoint_auth_method": "client_secret_basic",
    }
    with AuthlibSession(app.client_id, app.secret, **said) as session:
        token = goes_through(session, app, acme.sales, url)
        renewed = session.refresh_token(f"{url}/oauth/token", refresh_token=token["refresh_token"])
        assert renewed["refresh_token"] != token["refresh_token"]
        seen = session.introspect_token(f"{url}/oauth/introspect", token=renewed["access_token"])
        assert seen.json()["active"] is True
        revoked = session.revoke_token(f"{url}/oauth/revoke", token=renewed["refresh_token"])
        assert revoked.status_code == 200
        assert session.get(f"{url}/api/v1/contacts").status_code == 401
    headers = {"Authorization": f"Bearer {neighbour.admin.key}"}
    listed = requests.get(f"{url}/api/v1/connected-apps", headers=headers, timeout=20)
    assert app.id not in listed.text


def test_authlibs_client_acts_by_itself(acme: Workspace, neighbour: Workspace, url: str) -> None:
    app = register(acme, "contacts:read", redirect_uris=[], user_id=str(acme.admin.user_id))
    other = register(neighbour, "contacts:read", redirect_uris=[], user_id=str(neighbour.admin.user_id))
    made = acme.admin.post("/contacts", {"last_name": "Mine"}).json["id"]
    for each, status in ((app, 200), (other, 404)):
        with AuthlibSession(each.client_id, each.secret, scope="contacts:read") as session:
            session.fetch_token(f"{url}/oauth/token", grant_type="client_credentials")
            assert session.get(f"{url}/api/v1/contacts/{made}").status_code == status


@pytest.mark.parametrize("confidential", [True, False])
def test_requests_oauthlib_goes_through(
    acme: Workspace, neighbour: Workspace, url: str, confidential, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # the test's server speaks plain HTTP on loopback
    app = register(acme, "contacts:read", confidential=confidential)
    secret = {"client_secret": app.secret} if confidential else {"include_client_id": True}
    with OAuthlibSession(app.client_id, redirect_uri=BACK, scope=["contacts:read"]) as session:
        token = goes_through(session, app, acme.sales, url, **secret)
        own = {"client_id": app.client_id} | ({"client_secret": app.secret} if confidential else {})
        renewed = session.refresh_token(f"{url}/oauth/token", refresh_token=token["refresh_token"], **own)
        assert renewed["refresh_token"] != token["refresh_token"]
    headers = {"Authorization": f"Bearer {renewed['access_token']}"}
    theirs = neighbour.admin.post("/contacts", {"last_name": "Theirs"}).json["id"]
    assert requests.get(f"{url}/api/v1/contacts/{theirs}", headers=headers, timeout=20).status_code == 404


def test_what_the_server_says_of_itself_is_what_the_standard_allows(
    acme: Workspace, url: str, neighbour
) -> None:
    said = requests.get(f"{url}/.well-known/oauth-authorization-server", timeout=20).json()
    public = {
        name: value.replace("http://127.0.0.1:8000", "https://crm.example.test")
        if isinstance(value, str)
        else value
        for name, value in said.items()
    }
    AuthorizationServerMetadata(public).validate()
    assert said["code_challenge_methods_supported"] == ["S256"]
    assert said["authorization_response_iss_parameter_supported"] is True
    assert "api-keys:create" not in said["scopes_supported"]
    assert "contacts:read" in said["scopes_supported"]
