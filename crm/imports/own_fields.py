"""Fields of the tenant's own in imports: a column goes to `custom.name`, and all of them are one column of the record."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from crm.imports.importable import Importable, importables
from tenants.custom_fields.definitions import definitions
from tenants.custom_fields.models import COLUMN, PREFIX, Definition, Kind
from tenants.http.representation import UTC_FORMAT

TYPES: Mapping[Kind, Any] = {
    Kind.BOOLEAN: sa.Boolean(),
    Kind.CHOICES: ARRAY(sa.Text()),
    Kind.DATETIME: sa.DateTime(timezone=True),
}


def importable_here(resource: str) -> Importable:
    """What can be imported of a resource in the tenant at hand: its own fields too, less the archived ones."""
    known = definitions().of(resource)
    own = {name: each for name, each in known.items() if not each.archived}
    return replace(importables()[resource], own=own) if own else importables()[resource]


def importable_then(resource: str, mapping: Mapping[str, Any]) -> Importable:
    """The same for a file that came in a while ago: fields may have been archived since, or deleted."""
    found = importables()[resource]
    named = [name for said in mapping.values() for name in (said if isinstance(said, list) else [said])]
    names = [name.removeprefix(PREFIX) for name in named if name and is_own(name)]
    known = definitions().of(resource) if names else {}
    gone = {name: gone_field(resource, name) for name in names}
    return replace(found, own={**gone, **known}) if names else found


def gone_field(resource: str, name: str) -> Definition:
    """What stands for a field that was deleted: anything that was in a file."""
    return Definition(resource, name, Kind.LONG_TEXT, (), required=False, personal=True, archived=True)


def is_own(column: str) -> bool:
    return column.startswith(PREFIX)


def type_in_file(importable: Importable, column: str) -> Any:
    """What the text of a cell is cast to before it becomes a value of `custom`."""
    return TYPES.get(importable.own[column.removeprefix(PREFIX)].kind, sa.Text())


def value_of(new: Any, column: str) -> ColumnElement[Any]:
    """The value of one field in a row, as the column holds it; null where the cell is empty."""
    value: ColumnElement[Any] = new.c[column]
    if isinstance(value.type, sa.DateTime):
        utc = func.timezone(sa.literal_column("'UTC'"), value)
        value = func.to_char(utc, sa.literal_column(f"'{UTC_FORMAT}'"))
    return func.to_jsonb(value, type_=JSONB)


def together(values: Mapping[str, ColumnElement[Any]]) -> ColumnElement[Any]:
    """Values by `custom.name` as the one column; those that are null are left out."""
    pairs = [part for name, value in values.items() for part in (_key(name), value)]
    return func.jsonb_strip_nulls(func.jsonb_build_object(*pairs), type_=JSONB)


def laid_over(table: Any, values: Mapping[str, ColumnElement[Any]]) -> ColumnElement[Any]:
    """What the column of a record holds once these values are set."""
    return table.c[COLUMN].op("||", return_type=JSONB())(together(values))


def value_there(table: Any, column: str) -> ColumnElement[Any]:
    """The value that a record has of one field."""
    return table.c[COLUMN][column.removeprefix(PREFIX)]


def text_there(table: Any, column: str) -> ColumnElement[str]:
    """The same as a text, to recognise records by."""
    return value_there(table, column).op("#>>", return_type=sa.Text())(sa.literal_column("'{}'"))


def own_among(columns: Iterable[str]) -> Iterator[str]:
    return (each for each in columns if is_own(each))


def _key(name: str) -> ColumnElement[str]:
    return sa.cast(sa.literal(name.removeprefix(PREFIX), sa.Text), sa.Text)
