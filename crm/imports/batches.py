"""A part of an import's staged rows, and the SQL that reads them as values of their record's columns."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import ColumnElement, FromClause, Select, and_, func
from sqlalchemy.dialects.postgresql import ARRAY

from crm.imports.importable import Lookup
from crm.imports.models import Action, ImportRow
from crm.imports.own_fields import is_own, text_there, type_in_file
from crm.imports.plan import Plan
from tenants.access.caller import Caller
from tenants.access.policy import resource_of
from tenants.access.reaching import narrowed, standing_values
from tenants.isolation.door import db

ROWS: Any = ImportRow.__table__
LIVE = (Action.CREATE, Action.UPDATE)
QUOTED = 100


@dataclass(frozen=True)
class Batch:
    """The rows of one import from `low` to `high` that are at `step`, on behalf of `caller`."""

    plan: Plan
    import_id: UUID
    low: int
    high: int
    caller: Caller
    currency: str
    step: int = 0

    @property
    def model(self) -> Any:
        return self.plan.importable.model

    @property
    def table(self) -> Any:
        return self.model.__table__

    def at(self, step: int) -> "Batch":
        return replace(self, step=step)

    def halves(self) -> Iterator["Batch"]:
        middle = (self.low + self.high) // 2
        yield replace(self, high=middle)
        yield replace(self, low=middle + 1)

    def rows(self, *actions: Action) -> ColumnElement[bool]:
        """The rows of this batch that are to have one of these actions."""
        return and_(
            ROWS.c.import_id == self.import_id,
            ROWS.c.number.between(self.low, self.high),
            ROWS.c.step == self.step,
            ROWS.c.action.in_([each.value for each in actions or LIVE]),
        )

    def text(self, place: int) -> ColumnElement[str | None]:
        """What was read for the column at this place of the plan."""
        return ROWS.c.fields[place].astext

    def run(self, statement: Any) -> Any:
        """Execute a statement whose changes this import puts on record."""
        return db().execute(statement, execution_options={"audited": True, "synchronize_session": False})

    def reject(self, numbers: Select[Any], sentence: str | ColumnElement[str]) -> int:
        """Reject the rows with these numbers; `numbers` may give the sentence as a second column."""
        bad = numbers.params(standing_values(self.caller)).subquery("bad")
        reason = bad.c.reason if "reason" in bad.c else sa.literal(sentence, sa.Text)
        reasons = func.array_append(
            func.coalesce(ROWS.c.reasons, sa.cast(sa.literal_column("'{}'"), ARRAY(sa.Text))), reason
        )
        done = (
            sa.update(ROWS)
            .where(self.rows(), ROWS.c.number == bad.c.number)
            .values(action=Action.REJECT.value, reasons=reasons)
        )
        return self.run(done).rowcount


def key_of(lookup: Lookup, table: Any) -> ColumnElement[str]:
    """What a cell is compared with to find a related record."""
    column = text_there(table, lookup.by) if is_own(lookup.by) else table.c[lookup.by]
    if lookup.through:
        model, field = lookup.through
        other: Any = model.__table__.alias("through")
        column = sa.select(other.c[field]).where(other.c.id == column).scalar_subquery()
    return func.lower(sa.cast(column, sa.Text))


def found(batch: Batch, place: int, lookup: Lookup) -> Any:
    """For each name in a column: how many records of that name the caller can see, and the id of one of them."""
    return _found(batch, place, lookup, f"column_{place}")


def matches(batch: Batch, place: int) -> Any:
    """For each value of the field that records are recognised by: how many there are, and the id of one."""
    column = batch.plan.columns[place].target.column
    return _found(batch, place, Lookup(batch.model, column, ""), "matches")


def _found(batch: Batch, place: int, lookup: Lookup, name: str) -> Any:
    key = func.lower(batch.text(place)).label("name")
    named = sa.select(key).where(batch.rows(), batch.text(place).is_not(None)).distinct().cte(f"{name}_named")
    table = lookup.model.__table__.alias(f"{name}_record")
    extent = batch.caller.extent(f"{resource_of(lookup.model)}:read")
    seen = narrowed(table, extent) if extent else sa.false()
    conditions = [key_of(lookup, table) == named.c.name]
    conditions += [] if seen is None else [seen]
    conditions += [lookup.within(table)] if lookup.within else []
    ids = sa.type_coerce(func.array_agg(table.c.id), ARRAY(sa.Uuid()))
    query = sa.select(named.c.name, func.count(table.c.id).label("count"), ids[1].label("id"))
    return (
        query.select_from(named.outerjoin(table, and_(*conditions)))
        .group_by(named.c.name)
        .params(standing_values(batch.caller))
        .cte(f"{name}_found")
    )


def resolved(batch: Batch, *actions: Action) -> Any:
    """The rows with their values as the columns of the record: look-ups are ids, the rest has its type."""
    source: FromClause = ROWS
    columns: list[ColumnElement[Any]] = [ROWS.c.number.label("row_number"), ROWS.c.record_id]
    for place, each in enumerate(batch.plan.columns):
        text = batch.text(place)
        if each.target.lookup is not None:
            known = found(batch, place, each.target.lookup)
            source = source.outerjoin(known, known.c.name == func.lower(text))
            columns.append(known.c.id.label(each.target.column))
        elif each.target.column != "id":
            columns.append(_typed(batch, each.target.column, text).label(each.target.column))
    return sa.select(*columns).select_from(source).where(batch.rows(*actions)).subquery("new")


def _typed(batch: Batch, column: str, text: ColumnElement[Any]) -> ColumnElement[Any]:
    importable = batch.plan.importable
    kind = type_in_file(importable, column) if is_own(column) else importable.type_of(column)
    if isinstance(kind, sa.LargeBinary):
        return func.decode(text, "hex", type_=sa.LargeBinary())
    return text if isinstance(kind, sa.Text) else sa.cast(text, kind)
