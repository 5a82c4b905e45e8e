"""Apps as tests use them: registered by an admin, connected by a user in a browser, asking for tokens."""

import base64
import hashlib
import html
import re
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.workspace import Client, Workspace

BACK = "https://app.example.test/back"
FIELD = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


@dataclass
class App:
    """A registered app. `asks` and `token` are what it sends; a test changes any part of it by name."""

    workspace: Workspace
    id: str
    client_id: str
    secret: str | None
    scopes: list[str]
    back: str = BACK
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def flask(self) -> FlaskClient:
        """A client of its own for each request, so that threads share none."""
        return self.workspace.admin.flask.application.test_client(use_cookies=False)

    @property
    def challenge(self) -> str:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def asks(self, **other: str | None) -> dict[str, str]:
        said = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.back,
            "scope": " ".join(self.scopes),
            "state": "as it was",
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
            **other,
        }
        return {name: value for name, value in said.items() if value is not None}

    def page(self, user: Client, **other: str | None) -> TestResponse:
        """What a user who is signed in sees when the app sends them."""
        return self.flask.get(
            "/oauth/authorize", query_string=self.asks(**other), headers=user.in_person.headers
        )

    def decided(self, user: Client, decision: str = "allow", **other: str | None) -> TestResponse:
        """What happens when they press one of the buttons."""
        page = self.page(user, **other)
        assert page.status_code == 200, page.get_data(as_text=True)
        return self.sent(user, fields_of(page) | {"decision": decision})

    def sent(self, user: Client, form: dict[str, Any]) -> TestResponse:
        """The form as a browser sends it: the cookie, and no header that a page can't set."""
        cookie = {"Cookie": user.in_person.headers["Cookie"], "Sec-Fetch-Site": "same-origin"}
        return self.flask.post("/oauth/authorize", data=form, headers=cookie)

    def code(self, user: Client, **other: str | None) -> str:
        return parameters(self.decided(user, **other))["code"]

    def asks_token(self, path: str = "/oauth/token", **said: str | None) -> TestResponse:
        """A request of the app itself; a confidential one shows its secret by HTTP Basic."""
        form = {name: value for name, value in said.items() if value is not None}
        headers = {}
        if self.secret is None:
            form.setdefault("client_id", self.client_id)
        else:
            pair = base64.b64encode(f"{self.client_id}:{self.secret}".encode()).decode()
            headers["Authorization"] = f"Basic {pair}"
        return self.flask.post(path, data=form, headers=headers)

    def exchange(self, code: str, **other: str | None) -> TestResponse:
        said = {"code": code, "redirect_uri": self.back, "code_verifier": self.verifier, **other}
        return self.asks_token(grant_type="authorization_code", **said)

    def refresh(self, token: str, **other: str | None) -> TestResponse:
        return self.asks_token(grant_type="refresh_token", refresh_token=token, **other)

    def connected(self, user: Client, **other: str | None) -> dict[str, Any]:
        """The tokens after a user allowed it."""
        answer = self.exchange(self.code(user, **other))
        assert answer.status_code == 200, answer.json
        return dict(answer.json)

    def get(self, path: str, token: str) -> TestResponse:
        return self.flask.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"})

    def post(self, path: str, token: str, json: Any, **headers: str) -> TestResponse:
        return self.flask.post(
            f"/api/v1{path}", json=json, headers={"Authorization": f"Bearer {token}", **headers}
        )


def register(workspace: Workspace, *scopes: str, **said: Any) -> App:
    """Have the admin register an app: confidential, unless `confidential=False`."""
    body = {"name": f"App {secrets.token_hex(3)}", "scopes": list(scopes), "redirect_uris": [BACK], **said}
    answer = workspace.admin.in_person.post("/oauth-clients", body)
    assert answer.status_code == 201, answer.json
    made = answer.json
    back = (made["redirect_uris"] or [BACK])[0]
    return App(workspace, made["id"], made["client_id"], made["client_secret"], list(scopes), back)


def fields_of(page: TestResponse) -> dict[str, str]:
    """The hidden fields of a page's form."""
    return {name: html.unescape(value) for name, value in FIELD.findall(page.get_data(as_text=True))}


def parameters(answer: TestResponse) -> dict[str, str]:
    """What the app gets with the way back."""
    assert answer.status_code in (302, 303), answer.get_data(as_text=True)
    return {name: value for name, (value,) in parse_qs(urlsplit(answer.headers["Location"]).query).items()}
