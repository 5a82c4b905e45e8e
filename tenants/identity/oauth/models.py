"""Programs that people let act for them: which there are, who connected them, and the tokens they hold."""

from datetime import datetime
from hmac import compare_digest
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from tenants.foundation.clock import now
from tenants.foundation.identifiers import token_hash
from tenants.foundation.tables import (
    Base,
    DataClass,
    Identified,
    Owned,
    Purpose,
    Record,
    column,
    one_of,
)
from tenants.identity.models import User
from tenants.identity.oauth.redirects import leads_there

TOKEN_KINDS = ("code", "access", "refresh")
CONNECTED_BY = ("consent", "registration")
CONNECTED_STAYS = "An app is connected in one place; people connect it again elsewhere."


class OAuthClient(Record, Base):
    """A program that may ask people for access (RFC 6749, section 2), as the tenant registered it.

    A confidential one has a secret. With redirect URIs it can be connected by people; with a user of its own it also
    acts by itself (client credentials). It never gets more than `scopes`. The methods are those Authlib asks for.
    """

    __tablename__ = "oauth_clients"
    __resource__ = "oauth-clients"
    __purpose__ = Purpose.SECURITY
    __audited__ = True
    __unruled__ = "It is there for as long as somebody uses it."

    name: Mapped[str] = column(data=DataClass.BUSINESS)
    confidential: Mapped[bool] = column(data=DataClass.TECHNICAL)
    secret_hash: Mapped[bytes | None] = column(LargeBinary, data=DataClass.CREDENTIAL)
    secret_hint: Mapped[str | None] = column(Text, data=DataClass.TECHNICAL)
    redirect_uris: Mapped[list[str]] = column(JSONB, data=DataClass.TECHNICAL, default=list)
    scopes: Mapped[list[str]] = column(JSONB, data=DataClass.TECHNICAL)
    user_id: Mapped[UUID | None] = column(ForeignKey(User.id), data=DataClass.TECHNICAL, index=True)

    def get_default_redirect_uri(self) -> None:
        """None: every request says where it leads, so that nothing is guessed."""

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """All of its scopes when none is named; None, which refuses the request, for one that it doesn't have."""
        wanted = (scope or " ".join(self.scopes)).split()
        return " ".join(sorted(set(wanted))) if wanted and set(wanted) <= set(self.scopes) else None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return any(
            leads_there(each, redirect_uri, native=not self.confidential) for each in self.redirect_uris
        )

    def check_client_secret(self, client_secret: str) -> bool:
        return self.secret_hash is not None and compare_digest(self.secret_hash, token_hash(client_secret))

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        """The same rule at every endpoint: who has a secret shows it."""
        return self.confidential is (method != "none")

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code" and bool(self.redirect_uris)

    def check_grant_type(self, grant_type: str) -> bool:
        if grant_type == "client_credentials":
            return self.confidential and self.user_id is not None
        return grant_type in ("authorization_code", "refresh_token") and bool(self.redirect_uris)


class ConnectedApp(Record, Owned, Base):
    """What one user let one app do, until when: the family of every token that came from it (RFC 9700, 4.14).

    `user_id` is who the app acts as. Connected by `consent`, or by the `registration` of an app that acts by itself.
    """

    __tablename__ = "connected_apps"
    __resource__ = "connected-apps"
    __table_args__ = (one_of("connected_by", CONNECTED_BY),)
    __purpose__ = Purpose.SECURITY
    __audited__ = True
    __unruled__ = "It is there for as long as somebody uses it."
    __stays__ = CONNECTED_STAYS

    oauth_client_id: Mapped[UUID] = column(ForeignKey(OAuthClient.id), data=DataClass.TECHNICAL, index=True)
    user_id: Mapped[UUID] = column(ForeignKey(User.id), data=DataClass.TECHNICAL, index=True)
    connected_by: Mapped[str] = column(data=DataClass.TECHNICAL)
    scopes: Mapped[list[str]] = column(JSONB, data=DataClass.TECHNICAL)
    expires_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    last_used_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    revoked_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    revoked_because: Mapped[str | None] = column(data=DataClass.TECHNICAL)

    def revoke(self, reason: str) -> None:
        """End it with every token; the first reason stays."""
        if self.revoked_at is None:
            self.revoked_at, self.revoked_because = now(), reason

    @property
    def good(self) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now())


class OAuthToken(Identified, Base):
    """A code, access token or refresh token of a connected app, as its hash.

    A code keeps where it leads and its PKCE challenge. A refresh token that was used keeps the answer it got, sealed,
    for whoever asks again within seconds because that answer was lost.
    """

    __tablename__ = "oauth_tokens"
    __table_args__ = (
        one_of("kind", TOKEN_KINDS),
        Index("oauth_tokens_expires_at_idx", "expires_at"),
    )
    __purpose__ = Purpose.SECURITY
    __stays__ = CONNECTED_STAYS

    connected_app_id: Mapped[UUID] = column(ForeignKey(ConnectedApp.id), data=DataClass.TECHNICAL, index=True)
    kind: Mapped[str] = column(data=DataClass.TECHNICAL)
    hash: Mapped[bytes] = column(LargeBinary, data=DataClass.CREDENTIAL, unique=True)
    redirect_uri: Mapped[str | None] = column(data=DataClass.TECHNICAL)
    code_challenge: Mapped[str | None] = column(data=DataClass.TECHNICAL)
    answer: Mapped[Any] = column(LargeBinary, data=DataClass.CREDENTIAL, sealed=True, nullable=True)
    created_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    expires_at: Mapped[datetime] = column(data=DataClass.TECHNICAL)
    used_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    revoked_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)

    @property
    def good(self) -> bool:
        return self.revoked_at is None and self.expires_at > now()
