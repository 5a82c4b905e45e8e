"""Figures over deals: one grouped select, narrowed like the list of deals."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select, and_, select

from crm.reports.asking import Asked, closed_fields
from crm.reports.dimensions import Dimension, deals_table
from crm.reports.measures import Measure, measured, shown
from tenants.access.caller import Caller
from tenants.access.policy import narrowed, resource_of
from tenants.http.selection import Narrowing

MOST_ROWS = 1000


def deal_figures(asked: Asked, narrowing: Narrowing, caller: Caller) -> Select[Any]:
    """A row for every group: each dimension as `<name>`, records with `<name>_id` too, and `figure`.

    Months run in their order; within them, and within a currency, the largest figures come first.
    """
    others = {
        each.key: each.related.__table__.alias(f"of_{each.key}") for each in asked.dimensions if each.related
    }
    columns = [column for each in asked.dimensions for column in _columns(each, asked, others, caller)]
    figure = measured(asked.measure, deals_table)
    source: Any = deals_table
    for key, other in others.items():
        source = source.outerjoin(
            other, and_(deals_table.c[key] == other.c.id, *_seen(key, asked, other, caller))
        )
    query = select(*columns, shown(asked.measure, figure).label("figure")).select_from(source)
    query = query.where(*narrowing.conditions).group_by(*columns)
    if asked.measure is Measure.AMOUNT:
        query = query.where(deals_table.c.amount.is_not(None))
    return query.order_by(*_order(asked, columns, figure)).limit(MOST_ROWS + 1)


def _columns(
    each: Dimension, asked: Asked, others: dict[str, Any], caller: Caller
) -> Iterator[ColumnElement[Any]]:
    if each.value is not None:
        yield each.value(deals_table, asked.month_of).label(each.name)
        return
    covered = each.shows in closed_fields(caller, resource_of(each.related))
    yield (sa.cast(sa.null(), sa.Text) if covered else others[each.key].c[each.shows]).label(each.name)
    if each.is_record:
        yield deals_table.c[each.key].label(f"{each.name}_id")


def _seen(key: str, asked: Asked, other: Any, caller: Caller) -> list[ColumnElement[bool]]:
    """Of a record out of reach a report shows what the deal shows: its id."""
    model = next(each.related for each in asked.dimensions if each.key == key)
    reach = caller.reach(f"{resource_of(model)}:read")
    if reach is None:
        return [sa.false()]
    condition = narrowed(other, reach)
    return [] if condition is None else [condition]


def _order(asked: Asked, columns: list[ColumnElement[Any]], figure: ColumnElement[Any]) -> Iterator[Any]:
    by_name = {each.name: each for each in columns}
    for first in ("month", *(["currency"] if asked.measure is Measure.AMOUNT else [])):
        if first in by_name:
            yield by_name[first].asc().nulls_last()
    yield figure.desc().nulls_last()
    for each in columns:
        yield each.asc().nulls_last()
