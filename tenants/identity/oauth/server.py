"""The authorization server: Authlib's, with our clients, our tokens, and one way to authenticate a client."""

import logging
from collections.abc import Callable
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.integrations.flask_oauth2.requests import FlaskOAuth2Payload, FlaskOAuth2Request
from authlib.oauth2 import OAuth2Request
from authlib.oauth2.rfc6749 import InvalidClientError, InvalidGrantError
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from authlib.oauth2.rfc9207 import IssuerParameter
from flask import Request, Response, request

from tenants.foundation.clock import now
from tenants.foundation.identifiers import new_token
from tenants.foundation.settings import Settings
from tenants.identity.oauth.grants import WITH_SECRET, ByItself, Code, OnlyS256, Refresh
from tenants.identity.oauth.models import OAuthClient
from tenants.identity.oauth.parameters import basic_pair
from tenants.identity.oauth.tokens import (
    ACCESS_LASTS,
    PREFIXES,
    Shown,
    active_user,
    app_of_registration,
    client_id_of,
    client_named,
    keep,
    note_use,
    shown,
)
from tenants.isolation.door import here

# Authlib writes tokens into its debug lines: they are off, however talkative the program is.
logging.getLogger("authlib").setLevel(logging.WARNING)
KINDS = ("access", "refresh")


class Server(AuthorizationServer):  # type: ignore[misc] # Authlib comes without types
    """One for all tenants of this installation; each request is answered inside one of them."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(query_client=client_named, save_token=_save)
        self.settings = settings
        self.issuer = str(settings.public_url).rstrip("/")
        self.issuing = Issuer(self.issuer)
        self.register_token_generator(
            "default",
            BearerTokenGenerator(_new("access"), _new("refresh"), int(ACCESS_LASTS.total_seconds())),
        )
        self.register_grant(Code, [OnlyS256(required=True)])
        self.register_grant(Refresh)
        self.register_grant(ByItself)
        self.register_endpoint(Revocation)
        self.register_endpoint(Introspection(self))
        self.register_client_auth_method("client_secret_basic", _by_basic)
        self.register_extension(self.issuing)

    def create_oauth2_request(self, _request: Any) -> OAuth2Request:
        return Asked(request, self.issuer)

    def handle_error_response(self, asked: Any, error: Any) -> Response:
        """Whether a client exists, belongs to somebody else, or showed a wrong secret: all one answer."""
        if isinstance(error, InvalidClientError):
            error = InvalidClientError("The client could not be authenticated.", status_code=401)
        made: Response = super().handle_error_response(asked, error)
        return made


class Asked(FlaskOAuth2Request):  # type: ignore[misc]
    """The request at hand. TLS may end before it reaches us: whether people come by https is in the public URL."""

    def __init__(self, asked: Request, issuer: str) -> None:
        OAuth2Request.__init__(self, asked.method, issuer + asked.path, headers=asked.headers)
        self._request = asked
        self.payload = FlaskOAuth2Payload(asked)


class Issuer(IssuerParameter):  # type: ignore[misc]
    """Every answer that leads back to an app names us (RFC 9207), so that apps can't mix us up with somebody else."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer

    def get_issuer(self) -> str:
        return self._issuer


class Revocation(RevocationEndpoint):  # type: ignore[misc]
    """An app gives a token back (RFC 7009); with its refresh token it is disconnected."""

    CLIENT_AUTH_METHODS = (*WITH_SECRET, "none")

    def authenticate_token(self, asked: Any, client: OAuthClient) -> Shown | None:
        self.check_params(asked, client)
        return shown(asked.form["token"], KINDS, client)

    def revoke_token(self, found: Shown, _asked: Any) -> None:
        if found.token.kind == "refresh":
            found.app.revoke("given_back")
        found.token.revoked_at = found.token.revoked_at or now()


class Introspection(IntrospectionEndpoint):  # type: ignore[misc]
    """A confidential app asks what its own token is good for (RFC 7662); of any other it learns nothing."""

    CLIENT_AUTH_METHODS = WITH_SECRET

    def authenticate_token(self, asked: Any, client: OAuthClient) -> Shown | None:
        self.check_params(asked, client)
        found = shown(asked.form["token"], KINDS, client)
        used = found is None or found.token.used_at is not None
        return None if used or found is None or active_user(found.app.user_id) is None else found

    def introspect_token(self, found: Shown) -> dict[str, Any]:
        said = {
            "active": True,
            "client_id": client_id_of(found.client),
            "scope": found.get_scope(),
            "sub": str(found.app.user_id),
            "iss": self.server.issuer,
            "exp": int(found.token.expires_at.timestamp()),
            "iat": int(found.token.created_at.timestamp()),
        }
        return said | ({"token_type": "Bearer"} if found.token.kind == "access" else {})


def _new(kind: str) -> Callable[..., str]:
    return lambda **_circumstances: new_token(PREFIXES[kind], here().home.id)


def _save(token: dict[str, Any], asked: Any) -> None:
    """Keep what was just made: flushed, and committed with the answer.

    Authlib's example commits here, and so lets everybody through who shows the same code at once.
    """
    app = getattr(asked, "app", None)
    if app is None:
        app = app_of_registration(asked.client, asked.user, token.get("scope", "").split())
    keep(app, "access", token["access_token"], now() + ACCESS_LASTS)
    if "refresh_token" in token:
        if app.expires_at is None:
            raise InvalidGrantError
        keep(app, "refresh", token["refresh_token"], app.expires_at)
        token["expires_in"] = max(1, min(token["expires_in"], int((app.expires_at - now()).total_seconds())))
    note_use(app, asked.client, asked.payload.grant_type)
    asked.issued = token


def _by_basic(query_client: Callable[[str], OAuthClient | None], asked: Any) -> OAuthClient | None:
    """The client that shows its secret in the Authorization header. Authlib's reader breaks on one that is no text."""
    pair = basic_pair(asked.headers.get("Authorization", ""))
    client = query_client(pair[0]) if pair else None
    return client if client is not None and pair is not None and client.check_client_secret(pair[1]) else None
