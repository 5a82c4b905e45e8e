"""How lists filter and sort by fields of the tenant's own, `custom.name`, and leave out those that are closed."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from marshmallow import fields
from sqlalchemy import ColumnElement, and_, bindparam, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from tenants.custom_fields.models import COLUMN, PREFIX, Definition, Kind
from tenants.http.custom_values import choice_of, field_of

_TYPES: Mapping[Kind, Any] = {
    Kind.NUMBER: sa.Numeric(),
    Kind.BOOLEAN: sa.Boolean(),
    Kind.DATE: sa.Date(),
    Kind.DATETIME: sa.DateTime(timezone=True),
}
_SQL_NAMES = {
    Kind.NUMBER: "numeric",
    Kind.BOOLEAN: "boolean",
    Kind.DATE: "date",
    Kind.DATETIME: "timestamptz",
}


def names_custom(name: str) -> bool:
    return name.startswith(PREFIX)


def is_closed(name: str, closed: frozenset[str]) -> bool:
    """Whether a field is among those that are closed, by itself or with all of the tenant's own."""
    return name in closed or (names_custom(name) and COLUMN in closed)


def filterable(known: Mapping[str, Definition]) -> dict[str, fields.Field[Any]]:
    """What filters and sorts may name, `custom.name`; of several choices a filter asks for one."""
    return {
        PREFIX + name: choice_of(each) if each.kind is Kind.CHOICES else _sought(each)
        for name, each in known.items()
    }


def _sought(each: Definition) -> fields.Field[Any]:
    """A filter may look for any text, also for what is no address or no choice any more."""
    if isinstance(made := field_of(each), fields.String):
        return fields.String()
    return made


def comparable(table: Any, name: str, kind: Kind) -> ColumnElement[Any]:
    """What filters and sorts compare of one field, `custom.name`; a value that came in a bundle and fits not is null."""
    key = name.removeprefix(PREFIX)
    if kind is Kind.CHOICES:
        return table.c[COLUMN][key]  # type: ignore[no-any-return]
    text = table.c[COLUMN][key].astext
    if kind not in _TYPES:
        return text  # type: ignore[no-any-return]
    read = sa.cast(text, _TYPES[kind])
    named: ColumnElement[str] = sa.literal_column(f"'{_SQL_NAMES[kind]}'")
    return sa.case((func.pg_input_is_valid(text, named), read))


def holds(table: Any, name: str, kind: Kind, operator: str, parameter: str) -> ColumnElement[bool] | None:
    """A filter that the index answers: a text that is equal, one of several choices. None for all others."""
    if operator != "eq" or kind in _TYPES:
        return None
    column, key = table.c[COLUMN], name.removeprefix(PREFIX)
    mark: ColumnElement[Any] = bindparam(parameter, type_=sa.Text())
    value = func.jsonb_build_array(mark) if kind is Kind.CHOICES else mark
    some = column != sa.literal_column("'{}'::jsonb")
    return and_(some, column.contains(func.jsonb_build_object(sa.cast(key, sa.Text), value, type_=JSONB)))


def without(shown: ColumnElement[Any], closed: frozenset[str]) -> ColumnElement[Any]:
    """The values less those of closed fields."""
    names = sorted(name.removeprefix(PREFIX) for name in closed if names_custom(name))
    if not names:
        return shown
    return shown.op("-", return_type=JSONB())(sa.cast(sa.literal(names, ARRAY(sa.Text)), ARRAY(sa.Text)))


def operators_on(name: str, known: Mapping[str, Definition]) -> tuple[str, ...] | None:
    """What a filter may ask, where that is less than what its field could."""
    each = known.get(name.removeprefix(PREFIX)) if names_custom(name) else None
    return ("eq", "is_null") if each is not None and each.kind is Kind.CHOICES else None
