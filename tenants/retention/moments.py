"""From when periods count for a record: worked out by the database for each trigger, in UTC."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import ColumnElement, func, select

from tenants.isolation.door import db
from tenants.retention.keeping import Kept, kinds
from tenants.retention.models import BinEntry, Trigger
from tenants.retention.periods import MONTHS, Period
from tenants.retention.resolution import Facts

DAY_OF_UTC = sa.literal_column("'UTC'", sa.Text)
#: The year after 9999 ends in PostgreSQL's calendar and not in Python's; anybody may say such a day.
LATEST = sa.literal_column("timestamp '9999-12-31'", sa.DateTime())


def moment_of(kind: Kept, trigger: Trigger) -> ColumnElement[Any]:
    """The SQL of the moment from which a trigger counts, as a timestamp of UTC; null when it has not come."""
    columns = kind.model.__table__.c
    if trigger is Trigger.CREATED:
        return _in_utc(columns.created_at)
    if trigger is Trigger.INACTIVE:
        return _in_utc(columns.updated_at)
    named = kind.ends.get(trigger)
    if named is None:
        return sa.cast(sa.null(), sa.DateTime())
    days = [_in_utc(columns[each]) for each in named]
    day: ColumnElement[Any] = func.coalesce(*days) if len(days) > 1 else days[0]
    if trigger is Trigger.STATUTE_END:
        return func.date_trunc(sa.literal_column("'year'"), day) + func.make_interval(1)
    return day


def is_due(kind: Kept, trigger: Trigger, period: Period, at: datetime) -> ColumnElement[bool]:
    """The where-clause of records whose period is over at a moment."""
    over: ColumnElement[bool] = moment_of(kind, trigger) + _length(period) <= at.astimezone(UTC).replace(
        tzinfo=None
    )
    return over


def later(column: Any, period: Period) -> ColumnElement[Any]:
    """A column's moment and a period more, by the calendar of UTC."""
    return func.timezone(DAY_OF_UTC, _in_utc(column) + _length(period))


def facts_of(kind: Kept, record_ids: Sequence[UUID]) -> list[Facts]:
    """The facts of those of these records that are there."""
    asked = [func.least(moment_of(kind, each), LATEST).label(each.value) for each in kind.triggers]
    table = kind.model.__table__
    rows = db().execute(select(table.c.id, *asked).where(table.c.id.in_(record_ids)))
    return [
        Facts(row[0], {each: _aware(row[n]) for n, each in enumerate(kind.triggers, start=1)}) for row in rows
    ]


def facts_anywhere(record_ids: Sequence[UUID]) -> list[tuple[Kept, Facts]]:
    """The facts of these records of whatever kind, also of those in the bin."""
    found = [(kind, facts) for kind in kinds().values() for facts in facts_of(kind, record_ids)]
    binned = db().scalars(select(BinEntry).where(BinEntry.record_id.in_(record_ids)))
    known = [each for each in binned if each.resource in kinds()]
    return [*found, *((kinds()[each.resource], facts_in_bin(each)) for each in known)]


def facts_in_bin(entry: BinEntry) -> Facts:
    """The facts of a record as they were when it was deleted."""
    kept = entry.moments
    return Facts(entry.record_id, {each: _read(kept[each.value]) for each in Trigger if each.value in kept})


def as_kept(facts: Facts) -> dict[str, str | None]:
    """Facts as the bin keeps them."""
    return {
        trigger.value: None if moment is None else moment.isoformat()
        for trigger, moment in facts.moments.items()
    }


def _length(period: Period) -> ColumnElement[Any]:
    return func.make_interval(period.months // MONTHS, period.months % MONTHS, 0, period.days)


def _in_utc(column: ColumnElement[Any]) -> ColumnElement[Any]:
    if isinstance(column.type, sa.DateTime):
        return func.timezone(DAY_OF_UTC, column)
    return sa.cast(column, sa.DateTime())


def _aware(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)


def _read(text: object) -> datetime | None:
    """A bundle may have brought anything: what is no moment has not come, so that what keeps a record keeps it."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
