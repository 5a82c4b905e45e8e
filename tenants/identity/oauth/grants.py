"""The three ways to a token, on Authlib's grants: what it commits in the middle, or leaves open, is decided here.

Nothing is committed here: a token request is one transaction, and the locks of `tokens.shown` last until its end.
"""

import json
from datetime import timedelta
from typing import Any

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, InvalidScopeError, grants
from authlib.oauth2.rfc7636 import CodeChallenge

from tenants.access.caller import acting
from tenants.foundation.clock import now
from tenants.foundation.identifiers import new_token
from tenants.identity.models import User
from tenants.identity.oauth.models import OAuthClient
from tenants.identity.oauth.tokens import (
    CODE_LASTS,
    PREFIXES,
    Shown,
    active_user,
    connect,
    keep,
    settle,
    shown,
)
from tenants.isolation.door import here
from tenants.isolation.sealing import opened

WITH_SECRET = ["client_secret_basic", "client_secret_post"]
#: A lost answer may be asked for again this long; the same refresh token after that is somebody else's.
GRACE = timedelta(seconds=20)


class OnlyS256(CodeChallenge):  # type: ignore[misc] # Authlib comes without types
    """PKCE (RFC 7636) for every client, by S256 alone: without a challenge, or with `plain`, nothing begins."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)
    DEFAULT_CODE_CHALLENGE_METHOD = "S256"

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        said = grant.request.payload.data
        if not said.get("code_challenge") or said.get("code_challenge_method") != "S256":
            raise InvalidRequestError("Send code_challenge, and code_challenge_method=S256.")
        super().validate_code_challenge(grant, redirect_uri)


class Code(grants.AuthorizationCodeGrant):  # type: ignore[misc]
    """An authorization code: given to a browser after its user's consent, exchanged once by the app."""

    TOKEN_ENDPOINT_AUTH_METHODS = (*WITH_SECRET, "none")

    @staticmethod
    def validate_authorization_redirect_uri(request: Any, client: OAuthClient) -> str:
        """Raises InvalidRequestError, which leads nowhere, for an address that the client didn't register."""
        asked = request.payload.redirect_uri
        if not asked or not client.check_redirect_uri(asked):
            raise InvalidRequestError("Its redirect_uri is not one that was registered.")
        return str(asked)

    def generate_authorization_code(self) -> str:
        return new_token(PREFIXES["code"], here().home.id)

    def save_authorization_code(self, code: str, request: Any) -> None:
        """The consent makes the connected app that everything which follows belongs to."""
        caller = acting().caller
        assert caller.user_id is not None  # noqa: S101 - only people come here
        ends = now() + timedelta(days=self.server.settings.connected_app_days)
        granted = [name for name in request.scope.split() if name in caller.rights]
        app = connect(
            request.client, caller.user_id, caller.team_id, granted, connected_by="consent", expires_at=ends
        )
        details = {"redirect_uri": request.payload.redirect_uri}
        details["code_challenge"] = request.payload.data["code_challenge"]
        keep(app, "code", code, now() + CODE_LASTS, **details)

    def query_authorization_code(self, code: str, client: OAuthClient) -> Shown | None:
        """The code, if it is good. One that was used before disconnects the app (RFC 6749, 4.1.2)."""
        found = shown(code, ["code"], client)
        if found is not None and found.token.used_at is not None:
            found.app.revoke("code_reused")
            return None
        return found if found is not None and found.good else None

    def delete_authorization_code(self, found: Shown) -> None:
        """It stays, as used, so that it is noticed when it comes again."""
        found.token.used_at = now()

    def authenticate_user(self, found: Shown) -> User | None:
        self.request.app = found.app
        if not found.scopes:
            raise InvalidScopeError
        return active_user(found.app.user_id)


class Refresh(grants.RefreshTokenGrant):  # type: ignore[misc]
    """A refresh token is used once and followed by a new one; whoever shows a used one disconnects the app.

    Within GRACE a used one gets the same answer again, as long as what followed it was not used either: an honest
    app that asked twice, or lost the answer, goes on.
    """

    TOKEN_ENDPOINT_AUTH_METHODS = (*WITH_SECRET, "none")
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> Shown | None:
        found = shown(refresh_token, ["refresh"], self.request.client)
        if found is None or not found.good:
            return None
        if found.token.used_at is not None and not self._asked_again(found):
            found.app.revoke("token_reused")
            return None
        return found

    def _asked_again(self, found: Shown) -> bool:
        answer = opened(found.token, "answer")
        used_at = found.token.used_at
        self.request.again = json.loads(answer) if answer else None
        return answer is not None and used_at is not None and now() - used_at <= GRACE

    def _validate_token_scope(self, found: Shown) -> None:
        """A refresh neither widens nor narrows: an app that needs less asks for less from the start."""
        said = self.request.payload.scope
        if not found.scopes or (said and set(said.split()) != set(found.scopes)):
            raise InvalidScopeError

    def create_token_response(self) -> Any:
        if again := getattr(self.request, "again", None):
            return 200, again, self.TOKEN_RESPONSE_HEADER
        self.request.app = self.request.refresh_token.app
        return super().create_token_response()

    def issue_token(self, user: User, found: Shown) -> Any:
        return self.generate_token(user=user, scope=found.get_scope(), include_refresh_token=True)

    def authenticate_user(self, found: Shown) -> User:
        user = active_user(found.app.user_id)
        if user is None:
            raise InvalidGrantError
        return user

    def revoke_old_credential(self, found: Shown) -> None:
        settle(found, self.request.issued)


class ByItself(grants.ClientCredentialsGrant):  # type: ignore[misc]
    """A confidential app acts as the user whom an admin named when it was registered."""

    TOKEN_ENDPOINT_AUTH_METHODS = WITH_SECRET

    def create_token_response(self) -> Any:
        user = active_user(self.client.user_id)
        if user is None:
            raise InvalidGrantError("The user it acts as is not at work any more.")
        self.request.user = user
        return super().create_token_response()
