"""How registered and connected apps look in JSON."""

from typing import Any

import sqlalchemy as sa
from marshmallow import fields, validate
from sqlalchemy import ColumnElement, func

from tenants.http.representation import BodySchema, RecordSchema, Resource, Timestamp
from tenants.http.texts import text
from tenants.identity.models import TenantProfile
from tenants.identity.oauth.models import CONNECTED_BY, ConnectedApp, OAuthClient
from tenants.identity.oauth.redirects import LONGEST, MOST
from tenants.identity.oauth.tokens import CLIENT_PREFIX

SCOPES = validate.Length(1, 200)


class OAuthClientSchema(RecordSchema):
    """A registered app; `client_id` is what it calls itself, `user_id` whom it acts as without being asked."""

    name = fields.String(required=True)
    client_id = fields.String()
    confidential = fields.Boolean()
    secret_hint = fields.String(allow_none=True)
    redirect_uris = fields.List(fields.String())
    scopes = fields.List(fields.String())
    user_id = fields.UUID(allow_none=True)


class OAuthClientBody(BodySchema):
    """What may be said of a new app. One that can keep a secret is confidential; one that people install is not."""

    name = text(100, required=True)
    confidential = fields.Boolean(load_default=True)
    redirect_uris = fields.List(
        fields.String(validate=validate.Length(1, LONGEST)), validate=validate.Length(max=MOST)
    )
    scopes = fields.List(fields.String(validate=validate.Length(1, 100)), required=True, validate=SCOPES)
    user_id = fields.UUID(allow_none=True)


class OAuthClientChanges(BodySchema):
    """What may change of a registered app; whether it is confidential stays."""

    name = text(100, required=True)
    redirect_uris = fields.List(
        fields.String(validate=validate.Length(1, LONGEST)), validate=validate.Length(max=MOST)
    )
    scopes = fields.List(fields.String(validate=validate.Length(1, 100)), validate=SCOPES)
    user_id = fields.UUID(allow_none=True)


class NewOAuthClientSchema(OAuthClientSchema):
    """A registered app with its new secret, which is never shown again; a public app has none."""

    client_secret = fields.String(allow_none=True)


class ConnectedAppSchema(RecordSchema):
    """An app that may act as a user, and when it last got a token."""

    app_name = fields.String()
    oauth_client_id = fields.UUID()
    owner_id = fields.UUID(allow_none=True)
    user_id = fields.UUID()
    connected_by = fields.String(validate=validate.OneOf(CONNECTED_BY))
    scopes = fields.List(fields.String())
    expires_at = Timestamp(allow_none=True)
    last_used_at = Timestamp(allow_none=True)
    revoked_at = Timestamp(allow_none=True)
    revoked_because = fields.String(allow_none=True)


def _client_id(table: Any) -> ColumnElement[Any]:
    tenant = sa.select(func.replace(sa.cast(TenantProfile.id, sa.Text), "-", "")).scalar_subquery()
    return func.concat(f"{CLIENT_PREFIX}_", tenant, "_", func.replace(sa.cast(table.c.id, sa.Text), "-", ""))


def _app_name(table: Any) -> ColumnElement[Any]:
    clients = OAuthClient.__table__.alias("client_of_app")
    return sa.select(clients.c.name).where(clients.c.id == table.c.oauth_client_id).scalar_subquery()


OAUTH_CLIENTS = Resource(
    "oauth-clients", OAuthClient, OAuthClientSchema(), expressions={"client_id": _client_id}
)
CONNECTED_APPS = Resource(
    "connected-apps", ConnectedApp, ConnectedAppSchema(), expressions={"app_name": _app_name}
)
