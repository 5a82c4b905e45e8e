"""Codes and tokens of connected apps: given out, shown again, used up. Inside a tenant, and never committed here."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from tenants.access.caller import Caller, act_as, acting
from tenants.audit.recording import record_event
from tenants.foundation.clock import now
from tenants.foundation.identifiers import tenant_of_token, token_hash
from tenants.foundation.tables import Source
from tenants.identity.models import User
from tenants.identity.oauth.models import ConnectedApp, OAuthClient, OAuthToken
from tenants.identity.recognition import ACCESS_PREFIX
from tenants.isolation.door import db, here

CLIENT_PREFIX, SECRET_PREFIX = "fhc", "fhx"
PREFIXES = {"code": "fhd", "access": ACCESS_PREFIX, "refresh": "fhr"}
CODE_LASTS = timedelta(seconds=60)
ACCESS_LASTS = timedelta(hours=1)
APPS = ConnectedApp.metadata.tables[ConnectedApp.__tablename__]


@dataclass(frozen=True, slots=True)
class Shown:
    """A token that somebody showed, of which connected app and client it is. The methods are those Authlib asks for."""

    token: OAuthToken
    app: ConnectedApp
    client: OAuthClient

    @property
    def good(self) -> bool:
        return self.token.good and self.app.good

    @property
    def scopes(self) -> list[str]:
        """What was granted, less what the client has lost since."""
        return [name for name in self.app.scopes if name in self.client.scopes]

    @property
    def code_challenge(self) -> str | None:
        return self.token.code_challenge

    @property
    def code_challenge_method(self) -> str:
        return "S256"

    def get_redirect_uri(self) -> str | None:
        return self.token.redirect_uri

    def get_scope(self) -> str:
        return " ".join(self.scopes)

    def check_client(self, client: OAuthClient) -> bool:
        return self.client.id == client.id

    def is_expired(self) -> bool:
        return not self.good

    def is_revoked(self) -> bool:
        return not self.good


def client_id_of(client: OAuthClient) -> str:
    """The public name of a client, which tells its tenant in clear."""
    return f"{CLIENT_PREFIX}_{here().home.id.hex}_{client.id.hex}"


def client_named(client_id: str) -> OAuthClient | None:
    """The client with this public name in the tenant at hand."""
    tenant_id = tenant_of_token(client_id, CLIENT_PREFIX)
    try:
        record_id = UUID(hex=client_id.rpartition("_")[2])
    except ValueError:
        return None
    client = db().get(OAuthClient, record_id) if tenant_id == here().home.id else None
    return client if client is not None and client_id_of(client) == client_id else None


def keep(app: ConnectedApp, kind: str, secret: str, expires_at: datetime, **details: Any) -> None:
    """Keep the hash of a new code or token; it ends with the connected app at the latest."""
    ends = min(expires_at, app.expires_at) if app.expires_at else expires_at
    db().add(
        OAuthToken(connected_app_id=app.id, kind=kind, hash=token_hash(secret), expires_at=ends, **details)
    )
    db().flush()


def shown(secret: str, kinds: Iterable[str], client: OAuthClient | None = None) -> Shown | None:
    """The token with this secret, good or not, of this client where one is named.

    Token and connected app stay locked until the transaction ends: whoever shows the same one waits, and then sees
    what became of it.
    """
    query = (
        select(OAuthToken, ConnectedApp)
        .join(ConnectedApp, ConnectedApp.id == OAuthToken.connected_app_id)
        .where(OAuthToken.hash == token_hash(secret), OAuthToken.kind.in_(tuple(kinds)))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if client is not None:
        query = query.where(ConnectedApp.oauth_client_id == client.id)
    row = db().execute(query).one_or_none()
    if row is None:
        return None
    return Shown(row[0], row[1], client or db().get_one(OAuthClient, row[1].oauth_client_id))


def settle(found: Shown, answer: dict[str, Any]) -> None:
    """A refresh token is used from now on; its answer is kept for who lost it, and those before it no longer."""
    earlier = update(OAuthToken).where(
        OAuthToken.connected_app_id == found.app.id, OAuthToken.answer.is_not(None)
    )
    db().execute(earlier.values(answer=None))
    found.token.used_at = now()
    found.token.answer = json.dumps(answer)
    db().flush()


def connect(
    client: OAuthClient, user_id: UUID, team_id: UUID | None, scopes: list[str], **how: Any
) -> ConnectedApp:
    """Let a client act for a user with these scopes."""
    made = ConnectedApp(
        oauth_client_id=client.id,
        user_id=user_id,
        owner_id=user_id,
        team_id=team_id,
        scopes=scopes,
        source=Source.ENTERED if how["connected_by"] == "consent" else Source.API,
        **how,
    )
    db().add(made)
    db().flush()
    return made


def app_of_registration(client: OAuthClient, user: User, scopes: list[str]) -> ConnectedApp:
    """The connected app of a client that acts by itself, with exactly these scopes."""
    alive = select(ConnectedApp).where(
        ConnectedApp.oauth_client_id == client.id,
        ConnectedApp.user_id == user.id,
        ConnectedApp.connected_by == "registration",
        ConnectedApp.scopes == scopes,
        ConnectedApp.revoked_at.is_(None),
    )
    found = db().scalars(alive.order_by(ConnectedApp.id).limit(1)).first()
    return found or connect(client, user.id, user.team_id, scopes, connected_by="registration")


def active_user(user_id: UUID) -> User | None:
    """The user, unless they are not (or no longer) at work here."""
    return db().scalars(select(User).where(User.id == user_id, User.state == "active")).one_or_none()


def note_use(app: ConnectedApp, client: OAuthClient, grant_type: str) -> None:
    """Put on record, in the app's own name, that it got a token."""
    act_as(
        Caller("oauth", client.name, here().home.id, app.user_id, app.id),
        address=acting().address,
        request_id=acting().request_id,
    )
    db().execute(update(APPS).where(APPS.c.id == app.id).values(last_used_at=now()))
    record_event("connected-apps.token_issued", "connected-apps", app.id, {"grant_type": [None, grant_type]})
