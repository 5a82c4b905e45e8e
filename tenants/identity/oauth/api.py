"""Apps as admins register them, and the apps that are connected."""

from typing import Any
from uuid import UUID

from flask import g

from tenants.access.policy import change, find, save
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.selection import Selection
from tenants.identity.oauth.ending import forget_client
from tenants.identity.oauth.models import ConnectedApp, OAuthClient
from tenants.identity.oauth.permissions import (
    CREATE_CLIENTS,
    DELETE_CLIENTS,
    DISCONNECT,
    EDIT_CLIENTS,
    READ_CLIENTS,
    READ_CONNECTED,
)
from tenants.identity.oauth.registering import after_change, check_client, give_secret, renew_secret
from tenants.identity.oauth.schemas import (
    CONNECTED_APPS,
    OAUTH_CLIENTS,
    NewOAuthClientSchema,
    OAuthClientBody,
    OAuthClientChanges,
    OAuthClientSchema,
)
from tenants.identity.oauth.tokens import client_id_of

oauth_clients = Blueprint("oauth-clients", __name__, url_prefix="/oauth-clients", purpose=Purpose.SECURITY)
connected_apps = Blueprint("connected-apps", __name__, url_prefix="/connected-apps", purpose=Purpose.SECURITY)


@oauth_clients.page("", OAUTH_CLIENTS, may=READ_CLIENTS)
def list_oauth_clients() -> Selection:
    """The apps that are registered, without their secrets."""
    return Selection(OAUTH_CLIENTS)


@oauth_clients.one("/<uuid:oauth_client_id>", OAUTH_CLIENTS, may=READ_CLIENTS)
def get_oauth_client(oauth_client_id: UUID) -> Selection:
    """One registered app."""
    return Selection(OAUTH_CLIENTS, {"id": oauth_client_id}, single=True)


@oauth_clients.post("", may=CREATE_CLIENTS)
@oauth_clients.takes(OAuthClientBody(), of=OAUTH_CLIENTS)
@oauth_clients.response(201, NewOAuthClientSchema)
def create_oauth_client(said: dict[str, Any]) -> dict[str, Any]:
    """Register an app. The secret of a confidential one is in this answer and never shown again."""
    client = OAuthClient(**{"redirect_uris": [], "user_id": None, **said})
    check_client(client, said)
    secret = give_secret(client)
    return _with_secret(save(client), secret)


@oauth_clients.patch("/<uuid:oauth_client_id>", may=EDIT_CLIENTS)
@oauth_clients.takes(OAuthClientChanges(partial=True))
@oauth_clients.answers(200, OAUTH_CLIENTS)
def update_oauth_client(said: dict[str, Any], oauth_client_id: UUID) -> OAuthClient:
    """Change an app. Scopes that it loses are lost with its next request."""
    client = change(find(OAuthClient, oauth_client_id, lock=True), said)
    check_client(client, said)
    after_change(client, said)
    return client


@oauth_clients.delete("/<uuid:oauth_client_id>", may=DELETE_CLIENTS)
@oauth_clients.response(204)
def delete_oauth_client(oauth_client_id: UUID) -> None:
    """Delete an app, wherever it is connected; its next request is refused."""
    forget_client(find(OAuthClient, oauth_client_id, lock=True))


@oauth_clients.post("/<uuid:oauth_client_id>/secret", may=EDIT_CLIENTS)
@oauth_clients.response(201, NewOAuthClientSchema)
def renew_client_secret(oauth_client_id: UUID) -> dict[str, Any]:
    """Give an app a new secret; the one before stops working at once."""
    client = find(OAuthClient, oauth_client_id, lock=True)
    return _with_secret(client, renew_secret(client))


@connected_apps.page("", CONNECTED_APPS, may=READ_CONNECTED)
def list_connected_apps() -> Selection:
    """The apps that are connected, or were: one's own, or everybody's for who may see those."""
    return Selection(CONNECTED_APPS)


@connected_apps.one("/<uuid:connected_app_id>", CONNECTED_APPS, may=READ_CONNECTED)
def get_connected_app(connected_app_id: UUID) -> Selection:
    """One connected app."""
    return Selection(CONNECTED_APPS, {"id": connected_app_id}, single=True)


@connected_apps.delete("/<uuid:connected_app_id>", may=DISCONNECT)
@connected_apps.response(204)
def disconnect_app(connected_app_id: UUID) -> None:
    """Disconnect an app; its next request is refused."""
    find(ConnectedApp, connected_app_id, lock=True).revoke("disconnected")


def _with_secret(client: OAuthClient, secret: str | None) -> dict[str, Any]:
    g.holds_secret = secret is not None
    shown = OAuthClientSchema().fields.keys() - {"client_id"}
    return {name: getattr(client, name) for name in shown} | {
        "client_id": client_id_of(client),
        "client_secret": secret,
    }
