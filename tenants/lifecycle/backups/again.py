"""What the ledger says ended in a tenant that is there again ends again: records go, doors are shut."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import select

from tenants.access.caller import SYSTEM, act_as
from tenants.access.policy import resource_of
from tenants.access.removal import gone
from tenants.audit.erasure import forget_values
from tenants.audit.ledger import Ledger
from tenants.audit.noting import REPLAYED
from tenants.audit.recording import record_event
from tenants.catalog.registry import Home
from tenants.foundation.tables import Base, Identified, Source
from tenants.isolation.door import db, inside
from tenants.lifecycle.backups.doors import shut_doors
from tenants.lifecycle.backups.endings import Ended
from tenants.portability.bundling import PATIENCE_SECONDS
from tenants.retention.models import BinEntry

AT_ONCE = 5000


@dataclass(frozen=True)
class Replayed:
    """How many tenants, records, and credentials or people who had been shut out, were there again and went again."""

    tenants: int = 0
    records: int = 0
    credentials: int = 0

    def __add__(self, other: "Replayed") -> "Replayed":
        return Replayed(
            self.tenants + other.tenants, self.records + other.records, self.credentials + other.credentials
        )

    def said(self) -> dict[str, int]:
        return asdict(self)


@dataclass(frozen=True)
class Again:
    """One tenant that is there again, and the ledger."""

    ledger: Ledger
    home: Home

    def replay(self, ended: Ended) -> Replayed:
        """In one transaction; done again, it finds nothing left."""
        with inside(self.home, patience_seconds=PATIENCE_SECONDS) as tenancy:
            tenancy.notes[REPLAYED] = True
            act_as(SYSTEM, request_id="replay", source=Source.SYSTEM)
            went = sum(
                _erase_records(
                    resource,
                    self._named(_table_of(resource), keyed),
                    self._named_in_bin(resource, keyed),
                )
                for resource, keyed in ended.records.items()
                if resource in tables_by_resource()
            )
            if everything := set().union(ended.values, *ended.records.values()):
                _forget(list(self._named_in_audit(everything)))
            if went:
                record_event("tenant.erased_again", "tenant", self.home.id, {"records": [went, 0]})
            if shut := shut_doors(ended, partial(self.ledger.keyed_record, self.home.id)):
                record_event("tenant.shut_out_again", "tenant", self.home.id, {"credentials": [shut, 0]})
        return Replayed(records=went, credentials=shut)

    def _named(self, table: sa.Table, keyed: set[str]) -> list[UUID]:
        ids = db().scalars(select(table.c.id).execution_options(yield_per=AT_ONCE))
        return [each for each in ids if self.ledger.keyed_record(self.home.id, each) in keyed]

    def _named_in_bin(self, resource: str, keyed: set[str]) -> list[UUID]:
        """What belongs to a record stays where it is while that is in the bin: it is found by its id alone."""
        mine = select(BinEntry.record_id).where(BinEntry.resource == resource)
        ids = db().scalars(mine.execution_options(yield_per=AT_ONCE))
        return [each for each in ids if self.ledger.keyed_record(self.home.id, each) in keyed]

    def _named_in_audit(self, keyed: set[str]) -> Iterator[UUID]:
        """The ids of records that the audit or the bin still knows something of."""
        events = Base.metadata.tables["audit_events"]
        ids = select(events.c.record_id).where(events.c.record_id.is_not(None)).distinct()
        for each in db().scalars(ids.union(select(BinEntry.record_id)).execution_options(yield_per=AT_ONCE)):
            if self.ledger.keyed_record(self.home.id, each) in keyed:
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
def tables_by_resource() -> Mapping[str, sa.Table]:
    """The tables whose rows have ids, by their resource; of several, the one that is called like it."""
    every: list[Any] = [each.class_ for each in Base.registry.mappers]
    models = sorted(every, key=lambda each: each.__tablename__ == resource_of(each).replace("-", "_"))
    return {resource_of(each): each.__table__ for each in models if issubclass(each, Identified)}


def _table_of(resource: str) -> sa.Table:
    return tables_by_resource()[resource]
