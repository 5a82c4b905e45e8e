"""How a record looks in JSON, declared once per resource: the response schema, and the SQL that renders it.

From one declaration come the OpenAPI document, the select that lets PostgreSQL build the JSON, and which fields can be
filtered and sorted. A field that resolves to no column, relationship or declared expression stops the start.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from functools import cached_property
from typing import Any

import marshmallow
import sqlalchemy as sa
from marshmallow import fields
from sqlalchemy import ColumnElement, func, inspect
from sqlalchemy.orm import RelationshipProperty

from tenants.access.policy import resource_of
from tenants.custom_fields.models import Customised
from tenants.http.subjects import Attached, Told

UTC_FORMAT = """YYYY-MM-DD"T"HH24:MI:SS.US"Z\""""


class Timestamp(fields.DateTime):
    """RFC 3339 in UTC, always with microseconds: `2026-03-01T09:30:00.000000Z`."""

    def _serialize(self, value: datetime | None, *_args: Any, **_kwargs: Any) -> str | None:
        return None if value is None else value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> datetime:
        read: datetime = super()._deserialize(value, *args, **kwargs)
        if read.tzinfo is None:
            raise self.make_error("no_zone")
        try:
            return read.astimezone(UTC)
        except OverflowError:
            raise self.make_error("invalid", input=value, obj_type="datetime") from None

    default_error_messages = {  # noqa: RUF012 - marshmallow merges it along the classes
        "no_zone": "Say the time zone, for instance with a final Z."
    }


class SqlField(ABC):
    """A field that knows its own SQL, for instance an amount of money made of two columns."""

    @abstractmethod
    def rendered(self, table: Any) -> ColumnElement[Any]:
        """The JSON of it, from the columns of `table`."""

    @abstractmethod
    def comparable(self, table: Any) -> ColumnElement[Any]:
        """What filters and sorts compare."""

    @abstractmethod
    def read_value(self, text: str) -> Any:
        """A filter's value; raises marshmallow.ValidationError."""

    @abstractmethod
    def columns(self, value: Any) -> dict[str, Any]:
        """The columns that a value from a request's body sets."""


class RecordSchema(marshmallow.Schema):
    """What every record shows of itself."""

    id = fields.UUID(required=True, dump_only=True)
    version = fields.Integer(dump_only=True)
    created_at = Timestamp(dump_only=True)
    updated_at = Timestamp(dump_only=True)
    source = fields.String(dump_only=True)


class BodySchema(marshmallow.Schema):
    """What a request may say, as columns of a record; anything else in it is refused by name."""

    class Meta:
        unknown = marshmallow.RAISE

    @marshmallow.post_load
    def _as_columns(self, said: dict[str, Any], **_options: Any) -> dict[str, Any]:
        columns: dict[str, Any] = {}
        for name, value in said.items():
            each: Any = self.fields.get(name)
            if isinstance(each, SqlField):
                columns |= each.columns(value)
            else:
                columns[name] = value.value if isinstance(value, Enum) else value
        return columns


Expression = Callable[[Any], ColumnElement[Any]]
#: Leaves out of a field what is closed elsewhere: from the field's SQL, the table, and the closed columns by resource.
Cover = Callable[[ColumnElement[Any], Any, Mapping[str, frozenset[str]]], ColumnElement[Any]]


#: Whoever changes a record has to see which one it is, and which version.
NEVER_CLOSED = frozenset({"id", "version"})
_register: list["Resource"] = []


@dataclass(eq=False)
class Resource:
    """A resource under /api/v1: its model, and the schema that is its only representation.

    `search` names a tsvector column for `q=`; `expressions` gives the SQL of fields that are no columns, from the
    table (or alias) at hand. `shown` is a condition without which a row is on no answer. Nested fields are
    relationships and come when `include=` asks for them, or always when their metadata says `always`.

    `mirrors` says of the history of a record which fields of that record its own ones tell; `covers` has what leaves
    closed values of other resources out of a field.
    """

    name: str
    model: Any
    schema: marshmallow.Schema
    search: str | None = None
    expressions: Mapping[str, Expression] = field(default_factory=dict)
    sort: str = "-created_at"
    shown: Callable[[Any], ColumnElement[bool]] | None = None
    attached: Attached | None = None
    told: Told | None = None
    mirrors: Mapping[str, str] = field(default_factory=dict)
    covers: Mapping[str, Cover] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _register.append(self)
        self.mapper = inspect(self.model)
        self.permission = f"{resource_of(self.model)}:read"
        for name, each in self.schema.fields.items():
            if not (
                isinstance(each, SqlField)
                or name in self.expressions
                or _attribute(each, name) in self.mapper.attrs
            ):
                message = f"{self.name}.{name} resolves to no column, relationship or declared expression."
                raise TypeError(message)

    @property
    def customised(self) -> bool:
        """Whether its records take fields of the tenant's own."""
        return issubclass(self.model, Customised)

    @cached_property
    def includable(self) -> dict[str, fields.Field[Any]]:
        """The related records that `include=` may name."""
        return {
            name: each for name, each in self.schema.fields.items() if nested_of(each) and not always(each)
        }

    def plain(self) -> Iterator[tuple[str, fields.Field[Any]]]:
        """The fields that are this record's own."""
        return ((name, each) for name, each in self.schema.fields.items() if not nested_of(each))

    def relationship(self, name: str) -> RelationshipProperty[Any]:
        found = self.mapper.relationships[_attribute(self.schema.fields[name], name)]
        assert isinstance(found, RelationshipProperty)  # noqa: S101 - narrows the type for mypy
        return found

    def sealed(self, name: str) -> bool:
        """Whether a field is stored under the tenant's data key: opened in Python, never filtered or sorted."""
        attribute = self.mapper.columns.get(_attribute(self.schema.fields[name], name))
        return bool(attribute is not None and attribute.info.get("sealed"))

    def rendered(self, name: str, table: Any) -> ColumnElement[Any]:
        """The JSON of one field, from the columns of a table or alias."""
        return rendered(self.schema.fields[name], name, table, self.expressions)

    def comparable(self, name: str, table: Any) -> ColumnElement[Any]:
        """What filters and sorts compare of one field."""
        each = self.schema.fields[name]
        if isinstance(each, SqlField):
            return each.comparable(table)
        if name in self.expressions:
            return self.expressions[name](table)
        return table.c[_attribute(each, name)]  # type: ignore[no-any-return]

    @cached_property
    def resources_shown(self) -> tuple[str, ...]:
        """The resources whose permissions decide what is seen: this one, and those of its nested fields."""
        shown = [name for name, each in self.schema.fields.items() if nested_of(each)]
        return tuple(
            sorted(
                {
                    resource_of(self.model),
                    *(resource_of(self.relationship(name).mapper.class_) for name in shown),
                    *(self.attached.models() if self.attached else ()),
                    *(self.told.governed().values() if self.told else ()),
                }
            )
        )

    @cached_property
    def filterable(self) -> dict[str, fields.Field[Any]]:
        """The fields that filters and sorts may name."""
        return {
            name: each
            for name, each in self.plain()
            if not self.sealed(name) and not isinstance(each, fields.List | fields.Dict)
        }


def resources_of(name: str) -> list[Resource]:
    """Every representation of the resource of this name, for instance with and without its parts."""
    return [each for each in _register if each.name == name]


def ruled_fields() -> dict[str, frozenset[str]]:
    """The fields that field rules can close, by the resource whose permissions govern them."""
    found: dict[str, frozenset[str]] = {}
    for each in _register:
        if each.name == each.permission.removesuffix(":read"):
            found[each.name] = found.get(each.name, frozenset()) | each.schema.fields.keys() - NEVER_CLOSED
    return dict(sorted(found.items()))


def rendered(
    each: fields.Field[Any], name: str, table: Any, expressions: Mapping[str, Expression]
) -> ColumnElement[Any]:
    """The SQL whose JSON equals what the schema's `dump` gives."""
    if isinstance(each, SqlField):
        return each.rendered(table)
    found = expressions[name](table) if name in expressions else table.c[_attribute(each, name)]
    if isinstance(found.type, sa.DateTime):
        return func.to_char(found, sa.literal_column(f"'{UTC_FORMAT}'"))
    if isinstance(found.type, sa.Numeric):
        return sa.cast(found, sa.Text)
    return found


def nested_of(each: fields.Field[Any]) -> marshmallow.Schema | None:
    """The schema of a nested field, or of a list of them."""
    if isinstance(each, SqlField):
        return None
    inner = each.inner if isinstance(each, fields.List) else each
    return inner.schema if isinstance(inner, fields.Nested) else None


def always(each: fields.Field[Any]) -> bool:
    return bool(each.metadata.get("always"))


def _attribute(each: fields.Field[Any], name: str) -> str:
    return each.attribute or name


def plain_number(text: str) -> Decimal:
    """A decimal number as people write it for programs: `12.50`. Raises marshmallow.ValidationError."""
    try:
        number = Decimal(text)
    except ArithmeticError:
        raise marshmallow.ValidationError("Not a number.") from None
    if not number.is_finite():
        raise marshmallow.ValidationError("Not a number.")
    return number
