"""Figures over records: one grouped select, narrowed like their list."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select, Text, and_, cast, func, literal_column, select

from crm.reports.asking import Asked
from crm.reports.subjects import MONTH, Dimension, Kind
from tenants.access.caller import Caller
from tenants.access.policy import resource_of
from tenants.access.reaching import narrowed
from tenants.http.closed import fields_closed
from tenants.http.selection import Narrowing

MOST_ROWS = 1000


def figures(asked: Asked, narrowing: Narrowing, caller: Caller) -> Select[Any]:
    """A row for every group: each dimension as `<name>`, records with `<name>_id` too, and `figure`.

    Months run in their order; within them, and within a currency, the largest figures come first.
    """
    table, measure = asked.subject.table, asked.measure
    others = {
        each.key: each.related.__table__.alias(f"of_{each.key}") for each in asked.dimensions if each.related
    }
    columns = [column for each in asked.dimensions for column in _columns(each, asked, others, caller)]
    figure = measure.figure(table)
    source: Any = table
    for key, other in others.items():
        source = source.outerjoin(other, and_(table.c[key] == other.c.id, *_seen(key, asked, other, caller)))
    shown = figure if measure.kind is Kind.COUNT else cast(figure, Text)
    query = select(*columns, shown.label("figure")).select_from(source)
    query = query.where(*narrowing.conditions).group_by(*columns)
    if measure.counts is not None:
        query = query.where(measure.counts(table))
    return query.order_by(*_order(asked, columns, figure)).limit(MOST_ROWS + 1)


def _columns(
    each: Dimension, asked: Asked, others: dict[str, Any], caller: Caller
) -> Iterator[ColumnElement[Any]]:
    table = asked.subject.table
    if each.name == MONTH:
        yield _month(table.c[asked.month_of]).label(MONTH)
        return
    if each.value is not None:
        yield each.value(table).label(each.name)
        return
    covered = each.shows in fields_closed(caller, resource_of(each.related))
    yield (cast(sa.null(), Text) if covered else others[each.key].c[each.shows]).label(each.name)
    if each.is_record:
        yield table.c[each.key].label(f"{each.name}_id")


def _month(day: ColumnElement[Any]) -> ColumnElement[Any]:
    if isinstance(day.type, sa.DateTime):
        day = func.timezone(literal_column("'UTC'"), day)
    return func.to_char(day, literal_column("'YYYY-MM'"))


def _seen(key: str, asked: Asked, other: Any, caller: Caller) -> list[ColumnElement[bool]]:
    """Of a record out of reach a report shows what its list shows: the id."""
    model = next(each.related for each in asked.dimensions if each.key == key)
    extent = caller.extent(f"{resource_of(model)}:read")
    if extent is None:
        return [sa.false()]
    condition = narrowed(other, extent)
    return [] if condition is None else [condition]


def _order(asked: Asked, columns: list[ColumnElement[Any]], figure: ColumnElement[Any]) -> Iterator[Any]:
    by_name = {each.name: each for each in columns}
    for first in (MONTH, *(["currency"] if asked.measure.kind is Kind.MONEY else [])):
        if first in by_name:
            yield by_name[first].asc().nulls_last()
    yield figure.desc().nulls_last()
    for each in columns:
        yield each.asc().nulls_last()
