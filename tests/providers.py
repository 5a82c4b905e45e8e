"""An OpenID provider of strangers, on loopback: it does as the protocol says, until a test tells it otherwise."""

import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import RSAKey
from sqlalchemy import select
from werkzeug.test import TestResponse

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.tables import Source
from tenants.identity.models import Role
from tenants.identity.single_sign_on.domains import DomainClaims, assign
from tenants.identity.single_sign_on.models import IdentityProvider
from tenants.isolation.door import db, inside
from tests.strangers import replying, web_server
from tests.workspace import Workspace

CLIENT = "freehold"
SECRET = "a secret of the tests"
KEY = RSAKey.generate_key(2048, parameters={"kid": "first", "use": "sig", "alg": "RS256"}, private=True)


@dataclass
class Provider:
    """A provider that anybody may lie with: `metadata`, `claims`, `sign` and `answer` change what it says."""

    port: int = 0
    # What a provider says of itself is remembered by its address, and ports come round again.
    path: str = field(default_factory=lambda: f"/{secrets.token_hex(8)}")
    key: RSAKey = field(default_factory=lambda: KEY)
    published: list[dict[str, Any]] = field(default_factory=lambda: [KEY.as_dict(private=False)])
    metadata: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    sign: Callable[[dict[str, Any]], str] | None = None
    answer: Callable[[str], Callable[[Any], None] | None] = lambda _path: None
    codes: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    redeemed: list[dict[str, str]] = field(default_factory=list)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.path}"

    def serve(self, handler: Any) -> None:
        path = urlsplit(handler.path).path.removeprefix(self.path)
        self.asked.append(path)
        said = self.answer(path)
        if said is not None:
            said(handler)
            return
        body = {
            "/.well-known/openid-configuration": self.described,
            "/keys": lambda: {"keys": self.published},
            "/token": lambda: self.token(handler),
        }[path]()
        replying(200, json.dumps(body).encode(), **{"Content-Type": "application/json"})(handler)

    def described(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            **self.metadata,
        }

    def grant_code(self, location: str, **claims: Any) -> dict[str, str]:
        """What a browser that signed in here brings back: a code for what it asked with."""
        asked = dict(parse_qsl(urlsplit(location).query))
        code = secrets.token_urlsafe(16)
        self.codes[code] = {"nonce": asked["nonce"], "challenge": asked["code_challenge"], **claims}
        return {"code": code, "state": asked["state"]}

    def token(self, _handler: Any) -> dict[str, Any]:
        kept = self.codes[self.redeemed[-1]["code"]]
        said = {
            "iss": self.issuer,
            "sub": "subject-1",
            "aud": CLIENT,
            "exp": int(time.time()) + 300,
            "iat": int(time.time()),
            **{name: value for name, value in kept.items() if name != "challenge"},
            **self.claims,
        }
        said = {name: value for name, value in said.items() if value is not None}
        made = self.sign(said) if self.sign else jwt.encode({"alg": "RS256", "kid": "first"}, said, self.key)
        return {"access_token": "x", "token_type": "Bearer", "id_token": made}


@contextmanager
def running_provider() -> Iterator[Provider]:
    provider = Provider()

    def serve(handler: Any) -> None:
        request = server.requests[-1]
        if request.method == "POST":
            provider.redeemed.append(
                {name: each[0] for name, each in parse_qs(request.body.decode()).items()}
            )
        provider.serve(handler)

    with web_server(serve) as server:
        provider.port = server.port
        yield provider


def use_provider(workspace: Workspace, issuer: str, *, role: str | None = "sales", **fields: Any) -> UUID:
    """Let a tenant's people sign in with a provider, as its admin did at some time."""
    with inside(workspace.home):
        act_as(SYSTEM)
        role_id = db().scalars(select(Role.id).where(Role.name == role)).one() if role else None
        given = {"name": f"Provider {secrets.token_hex(4)}", "default_role_id": role_id, "client_id": CLIENT}
        provider = IdentityProvider(**{**given, "issuer": issuer, "source": Source.SYSTEM, **fields})
        provider.client_secret = SECRET
        db().add(provider)
        db().flush()
        return provider.id


def own_domain(app: Flask, workspace: Workspace, domain: str) -> None:
    """Let a domain be a tenant's, as the platform does for it."""
    nursery = app.extensions["nursery"]
    with inside(workspace.home):
        act_as(SYSTEM, source=Source.SYSTEM)
        assign(domain, DomainClaims(nursery.catalog, nursery.wrapper.hashed), "For a test.")


@dataclass
class Browser:
    """Somebody's browser on their way to a provider and back."""

    flask: FlaskClient
    workspace: Workspace
    provider_id: UUID

    def __post_init__(self) -> None:
        # Each is somewhere else, so that no test uses up the allowance of another.
        self.flask.environ_base["REMOTE_ADDR"] = f"2001:db8::{secrets.token_hex(2)}:{secrets.token_hex(2)}"

    @property
    def path(self) -> str:
        return f"/api/v1/single-sign-on/{self.workspace.home.id.hex}.{self.provider_id.hex}"

    def leave(self, **query: str) -> str:
        """Where the provider is, with what it is asked."""
        answer = self.flask.get(self.path, query_string=query)
        assert answer.status_code == 302, answer.json
        return answer.headers["Location"]

    def come_back(self, brought: dict[str, str]) -> TestResponse:
        return self.flask.get(f"{self.path}/callback", query_string=brought)

    def sign_in(self, provider: Provider, **claims: Any) -> TestResponse:
        return self.come_back(provider.grant_code(self.leave(), **claims))

    def me(self) -> Any:
        return self.flask.get("/api/v1/me")


def refused(answer: Any, browser: Browser) -> None:
    """What somebody gets whom the provider did not vouch for."""
    assert (answer.status_code, answer.json["code"]) == (401, "sso_refused"), answer.json
    assert browser.me().status_code == 401
