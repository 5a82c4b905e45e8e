"""The end of what apps have: disconnected, deleted, or forgotten when it was over long ago."""

from datetime import timedelta

from sqlalchemy import delete, select

from tenants.foundation.clock import now
from tenants.identity.oauth.models import ConnectedApp, OAuthClient, OAuthToken
from tenants.isolation.door import db

#: Used tokens are known this much longer than they were good, so that one which comes again is noticed.
REMEMBERED = timedelta(days=7)


def forget_old_tokens() -> None:
    """Forget tokens that could not be used for a week, and connected apps whose code was never used."""
    db().execute(delete(OAuthToken).where(OAuthToken.expires_at < now() - REMEMBERED))
    unused = select(OAuthToken.id).where(OAuthToken.connected_app_id == ConnectedApp.id)
    given_up = select(ConnectedApp).where(
        ConnectedApp.last_used_at.is_(None), ConnectedApp.created_at < now() - REMEMBERED, ~unused.exists()
    )
    for each in db().scalars(given_up):
        db().delete(each)


def disconnect(client: OAuthClient, reason: str, *, of_registration: bool = False) -> None:
    """Disconnect a client everywhere, or only where it acts by itself."""
    alive = select(ConnectedApp).where(
        ConnectedApp.oauth_client_id == client.id, ConnectedApp.revoked_at.is_(None)
    )
    if of_registration:
        alive = alive.where(ConnectedApp.connected_by == "registration")
    for each in db().scalars(alive.with_for_update()):
        each.revoke(reason)


def forget_client(client: OAuthClient) -> None:
    """Delete a client, wherever it is connected, with all tokens."""
    apps = db().scalars(
        select(ConnectedApp).where(ConnectedApp.oauth_client_id == client.id).with_for_update()
    )
    for each in apps:
        db().execute(delete(OAuthToken).where(OAuthToken.connected_app_id == each.id))
        db().delete(each)
    db().delete(client)
    db().flush()
