"""Sealed columns: assigned as text, stored under the tenant's data key, bound to their row, opened on request."""

from typing import Any

from sqlalchemy import event, inspect
from sqlalchemy.orm import Session, attributes

from tenants.foundation.encryption import Context, key_version, seal, unseal
from tenants.foundation.tables import Base
from tenants.isolation.door import TenantSession, here
from tenants.isolation.keys import KeyRing

_ring: list[KeyRing] = []


def use_keys(ring: KeyRing) -> None:
    """Say once, at start-up, where this process gets tenants' data keys."""
    _ring[:] = [ring]


def keys() -> KeyRing:
    """The ring of this process."""
    return _ring[0]


def sealed_columns(model: Any) -> list[str]:
    """The names of a model's sealed columns."""
    return [column.key for column in inspect(model).columns if column.info.get("sealed")]


def sealed_text(text: str, context: Context) -> bytes:
    """A text sealed for the one place it belongs to."""
    return seal(keys().current(context.tenant_id), text.encode(), context)


def opened_text(sealed: bytes | None, context: Context) -> str | None:
    """The text again. Raises Unreadable when it was altered or moved, KeyDestroyed when its key is gone."""
    if sealed is None:
        return None
    return unseal(keys().version(context.tenant_id, key_version(sealed)), sealed, context).decode()


def place(record: Base, name: str) -> Context:
    """Where a sealed column of a record lives."""
    return Context(here().home.id, record.__tablename__, name, record.id)  # type: ignore[attr-defined]


def opened(record: Base, name: str) -> str | None:
    """The text of a sealed column of a record of the tenant at hand."""
    value = getattr(record, name)
    return value if isinstance(value, str) else opened_text(value, place(record, name))


@event.listens_for(TenantSession, "before_flush")
def _seal_what_is_plain(session: Session, _context: object, _instances: object) -> None:
    for record in (*session.new, *session.dirty):
        for name in sealed_columns(type(record)):
            value = getattr(record, name)
            if isinstance(value, str):
                attributes.set_attribute(record, name, sealed_text(value, place(record, name)))
