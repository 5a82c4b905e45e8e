"""Sealed columns: assigned as text, stored under the tenant's data key, bound to their row, opened on request.

A key can be followed by a newer one at any moment. Whoever seals says so first, by a lock that ends with the
transaction, and then asks the tenant's own rows which version is to be used. So a new version is in force everywhere
from the commit that names it, whatever a process remembers; and it can be seen when the last transaction that began
with the version before has ended (`still_sealing`).
"""

from typing import Any
from uuid import UUID

from sqlalchemy import event, inspect
from sqlalchemy.orm import Session, attributes

from tenants.foundation.encryption import Context, DataKey, key_version, seal, unseal
from tenants.foundation.tables import Base
from tenants.isolation.door import TenantSession, here
from tenants.isolation.keys import KeyRing

SEALING = """
select pg_advisory_xact_lock_shared(hashtextextended('sealing ' || current_user, 0))
"""
IN_FORCE = """
select coalesce(max(key_version), 0), current_setting('transaction_isolation') <> 'read committed'
from tenant_profile
"""
#: Of a tenant that was just born.
FIRST_VERSION = 1
STILL_SEALING = """
select virtualtransaction from pg_locks
where locktype = 'advisory' and objsubid = 1 and granted and pid <> pg_backend_pid()
  and database = (select oid from pg_database where datname = current_database())
  and ((classid::bigint << 32) | objid::bigint) = hashtextextended('sealing ' || current_user, 0)
"""
_ring: list[KeyRing] = []


def use_keys(ring: KeyRing) -> None:
    """Say once, at start-up, where this process gets tenants' data keys."""
    _ring[:] = [ring]


def keys() -> KeyRing:
    """The ring of this process."""
    return _ring[0]


def version_in_force() -> int:
    """The version that the tenant at hand seals with, asked once for each transaction, before anything is sealed.

    What streams into the connection (COPY) leaves no room for the question, so whoever starts that asks it first.
    """
    tenancy = here()
    known: int | None = tenancy.notes.get("key_version")
    if known is None:
        tenancy.send_along(SEALING, {})
        ((known, of_the_past),) = tenancy.ask_within_flush(IN_FORCE, {})
        if of_the_past:
            # A snapshot shows what was in force when it was taken.
            keys().forget(tenancy.home.id)
        if not tenancy.session.in_nested_transaction():
            # A savepoint that is rolled back takes the lock with it.
            tenancy.notes["key_version"] = known
    return known


def seal_with_first_key() -> None:
    """Say that nothing was ever sealed in the tenant at hand: its tables may be older than what names the version."""
    tenancy = here()
    tenancy.send_along(SEALING, {})
    tenancy.send_pending()
    tenancy.notes["key_version"] = FIRST_VERSION


def sealing_key() -> DataKey:
    """The key to seal with in the transaction at hand."""
    return keys().current(here().home.id, at_least=version_in_force())


def still_sealing() -> frozenset[str]:
    """The transactions of the tenant at hand that may be sealing something at this moment."""
    return frozenset(row[0] for row in here().ask(STILL_SEALING, {}))


def sealed_columns(model: Any) -> list[str]:
    """The names of a model's sealed columns."""
    return [column.key for column in inspect(model).columns if column.info.get("sealed")]


def sealed_text(text: str, context: Context) -> bytes:
    """A text sealed for the one place it belongs to, in the tenant at hand."""
    return seal(sealing_key(), text.encode(), context)


def opened_text(sealed: bytes | None, context: Context) -> str | None:
    """The text again. Raises Unreadable when it was altered or moved, KeyDestroyed when its key is gone."""
    if sealed is None:
        return None
    return unseal(keys().version(context.tenant_id, key_version(sealed)), sealed, context).decode()


def place(record: Base, name: str) -> Context:
    """Where a sealed column of a record lives."""
    return place_in(record.__tablename__, name, record.id)  # type: ignore[attr-defined]


def place_in(table: str, column: str, row_id: UUID) -> Context:
    """Where a sealed column of a row of the tenant at hand lives."""
    return Context(here().home.id, table, column, row_id)


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
