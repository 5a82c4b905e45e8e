"""Secrets of programs that were found where they should not be: revoked at once, whoever brings them."""

from uuid import UUID

from sqlalchemy import select

from tenants.access.caller import SYSTEM, act_as
from tenants.audit.recording import record_event
from tenants.catalog.registry import Catalog
from tenants.foundation.clock import now
from tenants.foundation.identifiers import tenant_of_token, token_hash
from tenants.identity.models import User
from tenants.identity.oauth.ending import disconnect
from tenants.identity.oauth.models import OAuthClient
from tenants.identity.oauth.tokens import PREFIXES, SECRET_PREFIX, shown
from tenants.identity.programs.models import ApiKey
from tenants.identity.recognition import KEY_PREFIX
from tenants.isolation.door import db, inside
from tenants.notices.kinds import notice_kind
from tenants.notices.telling import tell

LEAKED = notice_kind("secrets.leaked", "A secret of the workspace was found elsewhere and revoked")
SUBJECT = "A secret of your workspace was found and revoked"
TEXT = """{what} was reported to us as leaked. We revoked it at once: whatever used it is refused from now on.

Make a new one, find out how others came to see it, and look at the audit log for what it was used for.
"""


def revoke_leaked(catalog: Catalog, secret: str, address: str | None, request_id: str) -> None:
    """Revoke the secret if it is one, and tell its owner and the admins. Nobody learns from here whether it was."""
    prefix = secret.partition("_")[0]
    if prefix not in (KEY_PREFIX, SECRET_PREFIX, *PREFIXES.values()) or not secret.isascii():
        return
    tenant_id = tenant_of_token(secret, prefix)
    home = catalog.home(tenant_id) if tenant_id else None
    if home is None or not home.permits.reads:
        return
    with inside(home):
        act_as(SYSTEM, address=address, request_id=request_id)
        found = _revoked_key(secret) or _revoked_token(secret) or _revoked_secret(secret)
        if found is not None:
            what, owner_id, resource, record_id = found
            record_event(f"{resource}.leaked", resource, record_id, {})
            _tell(what, owner_id)


def _revoked_key(secret: str) -> tuple[str, UUID | None, str, UUID] | None:
    working = (ApiKey.hash == token_hash(secret), ApiKey.revoked_at.is_(None))
    key = db().scalars(select(ApiKey).where(*working).with_for_update()).one_or_none()
    if key is None:
        return None
    key.revoked_at = now()
    return f'The API key "{key.name}" (…{key.hint})', key.user_id, "api-keys", key.id


def _revoked_token(secret: str) -> tuple[str, UUID | None, str, UUID] | None:
    found = shown(secret, PREFIXES)
    if found is None or found.app.revoked_at is not None:
        return None
    found.app.revoke("leaked")
    return f'A token of the app "{found.client.name}"', found.app.user_id, "connected-apps", found.app.id


def _revoked_secret(secret: str) -> tuple[str, UUID | None, str, UUID] | None:
    """Without its secret an app gets no token any more; those it has are ended, because others may have got them."""
    holder = select(OAuthClient).where(OAuthClient.secret_hash == token_hash(secret)).with_for_update()
    client = db().scalars(holder).one_or_none()
    if client is None:
        return None
    client.secret_hash = None
    disconnect(client, "leaked")
    return f'The secret of the app "{client.name}"', client.user_id, "oauth-clients", client.id


def _tell(what: str, owner_id: UUID | None) -> None:
    owner = select(User.email).where(User.id == owner_id, User.state == "active", User.email.is_not(None))
    tell(LEAKED, SUBJECT, TEXT.format(what=what), also=[str(each) for each in db().scalars(owner)])
