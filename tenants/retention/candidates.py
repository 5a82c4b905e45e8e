"""Which records a rule concerns at this moment, some at a time, and what becomes of each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import ColumnElement, ForeignKeyConstraint, Table, select

from tenants.foundation.clock import now
from tenants.foundation.tables import Base
from tenants.isolation.door import db
from tenants.retention.holds import held_among
from tenants.retention.keeping import Kept
from tenants.retention.models import Action
from tenants.retention.moments import facts_of, is_due
from tenants.retention.resolution import Fate, Resolution, Terms, resolve
from tenants.retention.retaining import terms_in_force

SHOWN = 10
LOOKED_AT = 2000
GOES_ALONG = ("CASCADE", "SET NULL")


@dataclass
class Looked:
    """What a rule would come to: how many it would remove (or keep), and why it leaves others."""

    count: int = 0
    sample_ids: list[UUID] = field(default_factory=list)
    held: int = 0
    retained: int = 0
    referred_to: int = 0

    def note(self, record_id: UUID, fate: Fate, action: Action, *, referred: bool) -> None:
        """Count a record that a rule of this action speaks of; `referred` when the database would keep it."""
        if action is Action.RETAIN:
            concerned = fate is Fate.RETAINED
        else:
            concerned = fate is Fate.DUE and not referred
            self.held += fate is Fate.HELD
            self.retained += fate is Fate.RETAINED
            self.referred_to += fate is Fate.DUE and referred
        if concerned:
            self.count += 1
            self.sample_ids += [record_id] if len(self.sample_ids) < SHOWN else []


def look(kind: Kept, terms: Terms) -> Looked:
    """What a rule would do if it held at this moment beside all that are enabled; it changes nothing."""
    looked, after = Looked(), None
    terms = replace(terms, effective_from=date.min)
    others = [each for each in terms_in_force(kind.name).get(kind.name, ()) if each.id != terms.id]
    while batch := due_ids(kind, terms, after, LOOKED_AT, referred_to=True):
        after = batch[-1]
        referred = set(batch) - set(_free(kind, batch))
        for record_id, found in resolved(kind, [*others, terms], batch).items():
            looked.note(record_id, found.fate, terms.action, referred=record_id in referred)
    return looked


def due_ids(
    kind: Kept, terms: Terms, after: UUID | None, most: int, *, referred_to: bool = False
) -> Sequence[UUID]:
    """Ids of records beyond `after` whose period is over by a rule that deletes, or that one which retains speaks of.

    Without `referred_to`, those that other records refer to are left out, and the others are locked.
    """
    table = kind.model.__table__
    query = select(table.c.id).where(*_concerned(kind, terms, now())).order_by(table.c.id).limit(most)
    if after is not None:
        query = query.where(table.c.id > after)
    if not referred_to:
        query = query.where(*_unreferred(table)).with_for_update(skip_locked=True)
    return db().scalars(query).all()


def resolved(kind: Kept, terms: Sequence[Terms], record_ids: Sequence[UUID]) -> dict[UUID, Resolution]:
    """What becomes of each of these records at this moment."""
    held, at = held_among(record_ids), now()
    return {
        facts.record_id: resolve(terms, facts, at, held=facts.record_id in held)
        for facts in facts_of(kind, record_ids)
    }


def _concerned(kind: Kept, terms: Terms, at: datetime) -> Iterator[ColumnElement[bool]]:
    columns = kind.model.__table__.c
    if terms.record_ids is not None:
        yield columns.id.in_(sorted(terms.record_ids))
    if terms.action is Action.RETAIN:
        return
    yield is_due(kind, terms.trigger, terms.period, at)
    if kind.while_empty is not None:
        yield columns[kind.while_empty].is_(None)
    if terms.effective_from > at.date():
        yield sa.false()


def _free(kind: Kept, record_ids: Sequence[UUID]) -> Sequence[UUID]:
    table = kind.model.__table__
    return db().scalars(select(table.c.id).where(table.c.id.in_(record_ids), *_unreferred(table))).all()


def _unreferred(table: Table) -> Iterator[ColumnElement[bool]]:
    """That no row refers to one which would neither go along nor let go: the database would keep it."""
    for other in Base.metadata.sorted_tables:
        for key in other.foreign_key_constraints:
            if key.referred_table is table and (key.ondelete or "").upper() not in GOES_ALONG:
                yield ~_refers(other, key, table)


def _refers(other: Table, key: ForeignKeyConstraint, table: Table) -> Any:
    mine = next(each.parent.name for each in key.elements if each.column.name == "id")
    alias = other.alias(f"{other.name}_{mine}")
    return sa.exists().where(alias.c[mine] == table.c.id)
