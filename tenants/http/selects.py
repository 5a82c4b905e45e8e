"""The select behind a representation, built once per shape of a question and kept.

A shape is everything that changes the SQL: the includes, what is hidden or masked, the filters, the sort, and the
reach of the caller. Values are parameters, so callers of one shape share one statement.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from marshmallow import fields
from sqlalchemy import ColumnElement, Select, and_, bindparam, func, literal_column, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from tenants.access.caller import Extent
from tenants.access.permissions import Reach
from tenants.access.policy import resource_of
from tenants.access.reaching import narrowed
from tenants.custom_fields.models import COLUMN, Kind
from tenants.http.closed import NONE, columns_of, shows_closed
from tenants.http.custom_filters import comparable, holds, without
from tenants.http.filters import condition
from tenants.http.representation import Resource, always, nested_of, rendered
from tenants.http.spoken_of import attached_and_seen, told_to
from tenants.isolation.dialect import compiled

MASK = "•••"
#: Bytes of JSON after which a page takes no further record.
MOST_BYTES = 8 * 1024 * 1024
EVERYTHING = Extent(Reach.ALL)


@dataclass(frozen=True, slots=True)
class Shape:
    """What changes the SQL of a question over one resource."""

    includes: tuple[str, ...] = ()
    hidden: frozenset[str] = frozenset()
    masked: frozenset[str] = frozenset()
    extents: tuple[tuple[str, Extent | None], ...] = ()
    filters: tuple[tuple[str, str], ...] = ()
    fixed: tuple[str, ...] = ()
    sort: tuple[tuple[str, bool], ...] = ()
    cursor: tuple[bool, ...] | None = None
    words: bool = False
    limited: bool = False
    only: bool = False
    elsewhere: tuple[tuple[str, frozenset[str], frozenset[str]], ...] = ()
    unsearched: frozenset[str] = frozenset()
    custom: tuple[tuple[str, Kind], ...] = ()
    """The kinds of the tenant's own fields that filters and sort name."""


@dataclass(frozen=True, slots=True)
class Built:
    """SQL with named parameters.

    Its columns: the JSON as text (null beyond the bytes of a page), the keys of the sort, the sealed values.
    """

    sql: str
    constants: dict[str, Any]
    keys: int
    sealed: tuple[str, ...]


@lru_cache(2000)
def build(resource: Resource, shape: Shape) -> Built:
    """The statement for one shape: see `Built` for its columns and `Selection` for its parameters."""
    table = resource.mapper.local_table
    public, sealed = _columns(resource, shape, table)
    keys = [
        _compared(resource, shape, name, table).label(f"key_{n}") for n, (name, _) in enumerate(shape.sort)
    ]
    query = _narrow(select(*public, *keys, *sealed).select_from(table), resource, shape, table)
    if shape.sort:
        query = query.order_by(*_order(resource, shape, table))
    if shape.limited:
        query = query.limit(bindparam("limit", type_=sa.Integer()))
    inner = query.subquery("inner_rows")
    shown = select(*(inner.c[each.name] for each in public)).correlate(inner).lateral("r")
    outer = select(
        sa.cast(func.row_to_json(literal_column("r")), sa.Text).label("json"),
        *(sa.cast(inner.c[key.name], sa.Text).label(key.name) for key in keys),
        *(inner.c[each.name] for each in sealed),
    ).select_from(inner.join(shown, sa.true()))
    made = compiled(_bounded(outer) if shape.limited else outer)
    constants = {name: value for name, value in made.params.items() if value is not None}
    return Built(
        made.string, constants, len(keys), tuple(each.name.removeprefix("sealed_") for each in sealed)
    )


def _bounded(rows: Any) -> Select[Any]:
    """Without the JSON of rows that come when the page has its bytes already; the first always has its own.

    The offset keeps the planner from working each JSON out twice, once to measure it.
    """
    json, *others = rows.offset(literal_column("0")).subquery("whole_rows").c
    before = func.sum(func.octet_length(json)).over(rows=(None, -1))
    enough = func.coalesce(before, literal_column("0")) >= literal_column(str(MOST_BYTES))
    return select(sa.case((enough, None), else_=json), *others)


def _columns(resource: Resource, shape: Shape, table: Any) -> tuple[list[Any], list[Any]]:
    public: list[Any] = []
    sealed: list[Any] = []
    for name, _ in resource.plain():
        if name in shape.hidden:
            continue
        if resource.sealed(name):
            if name not in shape.masked:
                sealed.append(resource.comparable(name, table).label(f"sealed_{name}"))
            else:
                public.append(literal_column(f"'{MASK}'").label(name))
        else:
            shown = _covered(resource, shape, name, resource.rendered(name, table), table)
            shown = without(shown, shape.hidden | shape.masked) if name == COLUMN else shown
            public.append((_masked(shown) if name in shape.masked else shown).label(name))
    public += [
        _related(resource, shape, name, table).label(name) for name in _shown_relations(resource, shape)
    ]
    return public, sealed


def _covered(
    resource: Resource, shape: Shape, name: str, shown: ColumnElement[Any], table: Any
) -> ColumnElement[Any]:
    """Without the values of other resources that are closed to the caller, where a field holds such."""
    cover = resource.covers.get(name)
    if cover is None or not shape.elsewhere:
        return shown
    return cover(
        shown, table, {each: columns_of(each, hidden | masked) for each, hidden, masked in shape.elsewhere}
    )


def _masked(shown: ColumnElement[Any]) -> ColumnElement[Any]:
    """Covered up by the database itself: the clear value never leaves it."""
    cover = literal_column(f"'{MASK}'") if isinstance(shown.type, sa.String) else sa.null()
    return sa.case((shown.is_(None), None), else_=cover)


def _shown_relations(resource: Resource, shape: Shape) -> Iterator[str]:
    for name, each in resource.schema.fields.items():
        if nested_of(each) and name not in shape.hidden and (name in shape.includes or always(each)):
            yield name


@lru_cache(500)
def _other(resource: Resource, name: str) -> Any:
    return resource.relationship(name).mapper.local_table.alias(
        f"{name}_of_{resource.mapper.local_table.name}"
    )


def _link(relation: Any, table: Any, other: Any) -> list[ColumnElement[bool]]:
    return [table.c[mine.name] == other.c[theirs.name] for mine, theirs in relation.local_remote_pairs]


def _seen(relation: Any, shape: Shape, other: Any) -> list[ColumnElement[bool]]:
    extent = dict(shape.extents).get(resource_of(relation.mapper.class_), EVERYTHING)
    if extent is None:
        return [sa.false()]
    seen = narrowed(other, extent)
    return [] if seen is None else [seen]


def _related(resource: Resource, shape: Shape, name: str, table: Any) -> ColumnElement[Any]:
    """A related record, or a list of them, asked for each row that is shown: out of reach means null.

    No join: the planner then has one table to think about, and looks up nothing for rows beyond the page.
    """
    relation, other = resource.relationship(name), _other(resource, name)
    made = _nested_json(resource, shape, name, table)
    if relation.uselist:
        ordered = relation.order_by or [_key(relation.mapper.local_table)]
        listed = func.json_agg(aggregate_order_by(made, *(other.c[each.name] for each in ordered)))
        made = func.coalesce(listed, sa.cast(literal_column("'[]'"), sa.JSON))
    rows = select(made).select_from(other)
    return (
        rows.where(and_(*_link(relation, table, other), *_seen(relation, shape, other)))
        .correlate(table)
        .scalar_subquery()
    )


def _nested_json(resource: Resource, shape: Shape, name: str, table: Any) -> ColumnElement[Any]:
    """A nested record, less the fields of its own resource that are closed."""
    schema, other = nested_of(resource.schema.fields[name]), _other(resource, name)
    assert schema is not None  # noqa: S101 - only nested fields come here
    governing = resource_of(resource.relationship(name).mapper.class_)
    hidden, masked = next((rules for each, *rules in shape.elsewhere if each == governing), (NONE, NONE))
    pairs: list[Any] = []
    for key, each in schema.fields.items():
        if hidden and shows_closed(each, key, other, governing, hidden):
            continue
        shown = _covered(resource, shape, f"{name}.{key}", _field(each, key, other), table)
        covered = masked and shows_closed(each, key, other, governing, masked)
        pairs += [literal_column(f"'{key}'"), _masked(shown) if covered else shown]
    return func.json_build_object(*pairs)


def _key(table: Any) -> Any:
    return next(iter(table.primary_key))


def _field(each: fields.Field[Any], name: str, table: Any) -> ColumnElement[Any]:
    return rendered(each, name, table, {})


def conditions_of(resource: Resource, shape: Shape, table: Any) -> list[ColumnElement[bool]]:
    """What every row must meet: the caller's reach, what is fixed, the filters and the words."""
    mine = narrowed(table, dict(shape.extents).get(resource_of(resource.model), EVERYTHING))
    conditions = [] if mine is None else [mine]
    conditions += [
        table.c[name] == bindparam(f"fixed_{name}", type_=table.c[name].type) for name in shape.fixed
    ]
    conditions += [
        _filtered(resource, shape, name, operator, f"filter_{number}", table)
        for number, (name, operator) in enumerate(shape.filters)
    ]
    if shape.only:
        conditions.append(_key(table) == bindparam("only", type_=ARRAY(sa.Uuid())).any_())
    if resource.shown is not None:
        conditions.append(resource.shown(table))
    if resource.attached is not None:
        conditions.append(attached_and_seen(resource.attached, dict(shape.extents), table))
    if resource.told is not None:
        told = told_to(resource.told, dict(shape.extents), table)
        conditions += [] if told is None else [told]
    if shape.words and resource.search:
        asked = func.to_tsquery(literal_column("'simple'"), bindparam("words", type_=sa.Text()))
        conditions.append(table.c[resource.search].bool_op("@@")(asked))
        if shape.unsearched:
            words = table.c[resource.search].info["words"]
            conditions.append(words.without(table, shape.unsearched).bool_op("@@")(asked))
    return conditions


def _compared(resource: Resource, shape: Shape, name: str, table: Any) -> ColumnElement[Any]:
    kind = dict(shape.custom).get(name)
    return resource.comparable(name, table) if kind is None else comparable(table, name, kind)


def _filtered(
    resource: Resource, shape: Shape, name: str, operator: str, parameter: str, table: Any
) -> ColumnElement[bool]:
    kind = dict(shape.custom).get(name)
    indexed = None if kind is None else holds(table, name, kind, operator, parameter)
    if indexed is not None:
        return indexed
    return condition(_compared(resource, shape, name, table), operator, parameter)


def _narrow(query: Select[Any], resource: Resource, shape: Shape, table: Any) -> Select[Any]:
    conditions = conditions_of(resource, shape, table)
    if shape.cursor is not None:
        conditions.append(_beyond(resource, shape, table))
    return query.where(*conditions)


def _order(resource: Resource, shape: Shape, table: Any) -> Iterator[Any]:
    for name, descending in shape.sort:
        key = _compared(resource, shape, name, table)
        ordered = key.desc() if descending else key.asc()
        yield ordered.nulls_last() if descending and _nullable(key) else ordered


def _nullable(key: Any) -> bool:
    return bool(getattr(key, "nullable", True))


def _beyond(resource: Resource, shape: Shape, table: Any) -> ColumnElement[bool]:
    """What comes after the cursor's row. Where nothing is null and all run one way, a row comparison uses the index."""
    nulls = shape.cursor or ()
    keys = [_compared(resource, shape, name, table) for name, _ in shape.sort]
    marks = [bindparam(f"after_{n}", type_=key.type) for n, key in enumerate(keys)]
    downward = {descending for _, descending in shape.sort}
    if len(downward) == 1 and not any(_nullable(key) for key in keys):
        mine, theirs = sa.tuple_(*keys), sa.tuple_(*marks)
        return mine < theirs if downward == {True} else mine > theirs
    steps: list[Any] = []
    same: list[Any] = []
    for key, mark, null, (_, descending) in zip(keys, marks, nulls, shape.sort, strict=True):
        if not null:
            further = key < mark if descending else key > mark
            steps.append(and_(*same, or_(further, key.is_(None)) if _nullable(key) else further))
        same.append(key.is_(None) if null else key == mark)
    return or_(*steps)
