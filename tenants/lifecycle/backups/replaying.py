"""Replays the ledger over an installation that came back from a backup: what was erased or destroyed since goes again."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import delete, select, update

from tenants.access.caller import SYSTEM, act_as
from tenants.access.policy import resource_of
from tenants.access.removal import gone
from tenants.audit.erasure import forget_values
from tenants.audit.ledger import Ending, Ledger
from tenants.audit.noting import REPLAYED
from tenants.audit.recording import record_event
from tenants.catalog.models import BroughtKey, LookupHash, State, StateChange, Tenant, TenantKey
from tenants.catalog.registry import Catalog, Home, home_of, role_of
from tenants.catalog.states import Mover
from tenants.foundation.clock import now
from tenants.foundation.tables import Base, Identified, Source
from tenants.isolation.door import db, inside
from tenants.isolation.owner import as_owner, run_all
from tenants.isolation.roles import death
from tenants.isolation.storage import Storage
from tenants.lifecycle.changing import Owners
from tenants.portability.bundling import PATIENCE_SECONDS
from tenants.retention.models import BinEntry

AT_ONCE = 5000
REASON = "It was destroyed after the backup was taken: the ledger says so."


@dataclass(frozen=True)
class Replayed:
    """How many tenants and records were there again and went again."""

    tenants: int = 0
    records: int = 0

    def said(self) -> dict[str, int]:
        return asdict(self)


@dataclass
class _Wanted:
    """What the ledger says of one tenant: keyed ids of records by resource, and of those whose values alone went."""

    records: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    values: set[str] = field(default_factory=set)


@dataclass
class Replaying:
    """Where it is replayed."""

    ledger: Ledger
    catalog: Catalog
    owners: Owners
    storage: Storage

    def replay(self) -> Replayed:
        """Destroy and erase again whatever the ledger names and is there; run again, it finds nothing left.

        All of the ledger counts, however old: what was erased never comes back. Raises LedgerBroken.
        """
        destroyed: set[str] = set()
        wanted: dict[str, _Wanted] = defaultdict(_Wanted)
        for entry in self.ledger.entries():
            if entry.ending == Ending.TENANT:
                destroyed.add(entry.tenant)
            elif entry.ending == Ending.VALUES:
                wanted[entry.tenant].values.update(entry.records)
            else:
                wanted[entry.tenant].records[str(entry.resource)].update(entry.records)
        tenants = records = 0
        for home in self._homes():
            keyed = self.ledger.keyed_tenant(home.id)
            if keyed in destroyed:
                self._destroy(home)
                tenants += 1
            elif keyed in wanted:
                records += self._erase(home, wanted[keyed])
        return Replayed(tenants, records)

    def _homes(self) -> list[Home]:
        query = select(Tenant.id, Tenant.cell, Tenant.state).where(Tenant.state != State.DESTROYED)
        with self.catalog.transaction() as session:
            return [home_of(row) for row in session.execute(query.order_by(Tenant.id))]

    def _destroy(self, home: Home) -> None:
        """As when it was destroyed. Its keys are not in the keyring any more, so that they did not come back."""
        with as_owner(self.owners.get(home.cell)) as connection:
            run_all(connection, death(role_of(home.id)))
        files = self.storage.for_tenant(home.id)
        for name in list(files.list()):
            files.delete(name)
        with self.catalog.transaction() as session:
            for model in (LookupHash, BroughtKey):
                session.execute(delete(model).where(model.tenant_id == home.id))
            keys = update(TenantKey).where(TenantKey.tenant_id == home.id, TenantKey.wrapped.is_not(None))
            session.execute(keys.values(wrapped=None, destroyed_at=now()))
            tenant = session.get_one(Tenant, home.id)
            tenant.state, tenant.slug, tenant.name = State.DESTROYED, None, None
            session.add(
                StateChange(
                    tenant_id=home.id,
                    before=State.CLOSING,
                    after=State.DESTROYED,
                    mover=Mover.PLATFORM,
                    reason=REASON,
                    settled_at=now(),
                )
            )

    def _erase(self, home: Home, wanted: _Wanted) -> int:
        if not self._has_schema(home):
            return 0
        with inside(home, patience_seconds=PATIENCE_SECONDS) as tenancy:
            tenancy.notes[REPLAYED] = True
            act_as(SYSTEM, request_id="replay", source=Source.SYSTEM)
            went = sum(
                _erase_records(
                    resource,
                    self._named(home, _table_of(resource), keyed),
                    self._named_in_bin(home, resource, keyed),
                )
                for resource, keyed in wanted.records.items()
                if resource in _resources()
            )
            if everything := set().union(wanted.values, *wanted.records.values()):
                _forget(list(self._named_in_audit(home, everything)))
            if went:
                record_event("tenant.erased_again", "tenant", home.id, {"records": [went, 0]})
        return went

    def _has_schema(self, home: Home) -> bool:
        with as_owner(self.owners.get(home.cell)) as connection:
            row = connection.execute("select to_regnamespace(%s) is not null", [home.role]).fetchone()
        return bool(row and row[0])

    def _named(self, home: Home, table: sa.Table, keyed: set[str]) -> list[UUID]:
        ids = db().scalars(select(table.c.id).execution_options(yield_per=AT_ONCE))
        return [each for each in ids if self.ledger.keyed_record(home.id, each) in keyed]

    def _named_in_bin(self, home: Home, resource: str, keyed: set[str]) -> list[UUID]:
        """What belongs to a record stays where it is while that is in the bin: it is found by its id alone."""
        mine = select(BinEntry.record_id).where(BinEntry.resource == resource)
        ids = db().scalars(mine.execution_options(yield_per=AT_ONCE))
        return [each for each in ids if self.ledger.keyed_record(home.id, each) in keyed]

    def _named_in_audit(self, home: Home, keyed: set[str]) -> Iterator[UUID]:
        """The ids of records that the audit or the bin still knows something of."""
        events = Base.metadata.tables["audit_events"]
        ids = select(events.c.record_id).where(events.c.record_id.is_not(None)).distinct()
        for each in db().scalars(ids.union(select(BinEntry.record_id)).execution_options(yield_per=AT_ONCE)):
            if self.ledger.keyed_record(home.id, each) in keyed:
                yield each


def _forget(record_ids: Sequence[UUID]) -> None:
    if record_ids:
        forget_values(record_ids)
        _delete_rows(Base.metadata.tables[BinEntry.__tablename__], "record_id", record_ids)


def _erase_records(resource: str, record_ids: Sequence[UUID], in_bin: Sequence[UUID]) -> int:
    """Whatever holds or rules were in force when the backup was taken: it was decided after them."""
    if everything := [*record_ids, *in_bin]:
        gone(resource, everything)
        _remove(_table_of(resource), record_ids, frozenset())
    return len(everything)


def _remove(table: sa.Table, ids: Sequence[UUID], seen: frozenset[str]) -> None:
    """Delete rows. What refers to them loses the reference, or goes as well where it can't be without."""
    for other, column in _referring(table):
        if column.nullable:
            db().connection().execute(sa.update(other).where(column.in_(ids)).values({column.name: None}))
        elif "id" in other.c and other.name not in seen:
            found = list(db().scalars(select(other.c.id).where(column.in_(ids))))
            if found:
                _remove(other, found, seen | {table.name})
        else:
            _delete_rows(other, column.name, ids)
    _delete_rows(table, "id", ids)


def _delete_rows(table: sa.Table, column: str, ids: Sequence[UUID]) -> None:
    db().connection().execute(sa.delete(table).where(table.c[column].in_(ids)))


def _referring(table: sa.Table) -> Iterator[tuple[sa.Table, sa.Column[Any]]]:
    for other in Base.metadata.sorted_tables:
        for key in other.foreign_keys:
            if key.column.table is table and key.column.name == "id":
                yield other, key.parent


@cache
def _resources() -> Mapping[str, sa.Table]:
    """The tables whose rows have ids, by their resource."""
    models: list[Any] = [each.class_ for each in Base.registry.mappers]
    return {resource_of(each): each.__table__ for each in models if issubclass(each, Identified)}


def _table_of(resource: str) -> sa.Table:
    return _resources()[resource]
