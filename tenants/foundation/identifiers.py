"""Identifiers that sort by time, and secrets that can't be guessed."""

import hashlib
import secrets
from datetime import UTC, datetime
from uuid import UUID

import uuid_utils


def new_id() -> UUID:
    """A fresh UUIDv7 (RFC 9562, section 5.7): sorts by the moment it was made."""
    return UUID(int=uuid_utils.uuid7().int)


def made_at(identifier: UUID) -> datetime:
    """When a UUIDv7 was made, to the millisecond (RFC 9562, section 5.7)."""
    return datetime.fromtimestamp((identifier.int >> 80) / 1000, UTC)


def new_id_text() -> str:
    """The same as text, for where so many are made that it counts."""
    return str(uuid_utils.uuid7())


def new_token(prefix: str, tenant_id: UUID) -> str:
    """A secret of 256 random bits that names its tenant in clear: `prefix_tenant_secret`."""
    return f"{prefix}_{tenant_id.hex}_{secrets.token_urlsafe(32)}"


def tenant_of_token(token: str, prefix: str) -> UUID | None:
    """The tenant that a token claims to be of, or None when it is not a token of this kind."""
    head, _, rest = token.partition("_")
    tenant, _, secret = rest.partition("_")
    if head != prefix or not secret:
        return None
    try:
        return UUID(hex=tenant)
    except ValueError:
        return None


def token_hash(token: str) -> bytes:
    """What we keep of a token. Its 256 random bits make a slow hash pointless."""
    return hashlib.sha256(token.encode()).digest()
