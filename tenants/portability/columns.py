"""How the values of each kind of column are written in a bundle, checked, and read back into a table.

Every value has one text, the same in CSV and JSON Lines and on every server, so that equal texts mean equal
values: times are RFC 3339 in UTC with microseconds, bytes are hexadecimal, lists and documents are JSON.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Column, ColumnElement, func
from sqlalchemy.dialects import postgresql

from tenants.foundation.tables import AtRest

SqlOf = Callable[[ColumnElement[Any]], ColumnElement[Any]]
TIME_FORMAT = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
TIME = re.compile(r"\d{4}-(0[1-9]|1[0-2])-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z\Z")
UUID_TEXT = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
INTEGER = re.compile(r"-?(0|[1-9]\d{0,18})\Z")
NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?\Z")
#: What reading a document comes to that is none, is nested too deep, or has a number beyond all.
UNREADABLE = (ValueError, RecursionError, ArithmeticError)
HEX = re.compile(r"([0-9a-f]{2})*\Z")


class NoKind(TypeError):
    """A column of a type that bundles can't carry yet; the start of a tenant stops rather than lose it."""


def _as_it_is(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return column


def as_text(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """PostgreSQL's own text of a value."""
    return sa.cast(column, sa.Text)


def _matching(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.match(text) is not None


@dataclass(frozen=True)
class Kind:
    """One kind of value: its Frictionless type, its SQL, and what its text must look like."""

    name: str
    field: Mapping[str, Any]
    holds: Callable[[str], bool]
    in_csv: SqlOf = _as_it_is
    in_json: SqlOf = _as_it_is
    for_copy: Callable[[str], str] = str
    document: bool = False


def _is_date(text: str) -> bool:
    try:
        return len(text) == 10 and bool(date.fromisoformat(text))  # noqa: PLR2004 -- YYYY-MM-DD
    except ValueError:
        return False


def _is_time(text: str) -> bool:
    return TIME.match(text) is not None and _is_date(text[:10])


def _is_json(text: str) -> bool:
    try:
        read_json(text)
    except UNREADABLE:
        return False
    return True


def _is_list(text: str) -> bool:
    try:
        return text.startswith("[") and _is_text(array_literal(text))
    except UNREADABLE:
        return False


def _is_text(text: str) -> bool:
    """Whether it can be kept: without NUL, and without half of a character."""
    if "\0" in text:
        return False
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def read_json(text: str) -> Any:
    """A document whose numbers stay what they were: `1.50` is not `1.5`."""
    return json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON.")


def _time(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.to_char(func.timezone(sa.text("'UTC'"), column), sa.text(f"'{TIME_FORMAT}'"))


def hexadecimal(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Bytes as text, two small digits each."""
    return func.encode(column, sa.text("'hex'"))


def _list_text(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return sa.cast(func.array_to_json(column), sa.Text)


def array_literal(text: str) -> str:
    """A JSON list as PostgreSQL's input form of an array."""
    return "{" + ",".join("NULL" if each is None else _quoted(each) for each in read_json(text)) + "}"


def _quoted(element: Any) -> str:
    if isinstance(element, list | dict):
        raise ValueError("A list in a list can't be read.")  # noqa: TRY004 -- the text is wrong, not the program
    text = str(element).lower() if isinstance(element, bool) else str(element)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


TEXT = Kind("text", {"type": "string"}, _is_text)
UUID = Kind("uuid", {"type": "string", "format": "uuid"}, _matching(UUID_TEXT))
WHOLE = Kind("integer", {"type": "integer"}, _matching(INTEGER))
DECIMAL = Kind("number", {"type": "number"}, _matching(NUMBER), in_json=as_text)
BOOLEAN = Kind("boolean", {"type": "boolean"}, lambda text: text in ("true", "false"), in_csv=as_text)
DATE = Kind("date", {"type": "date"}, _is_date)
MOMENT = Kind("time", {"type": "datetime"}, _is_time, in_csv=_time, in_json=_time)
BYTES = Kind(
    "bytes",
    {"type": "string", "constraints": {"pattern": "^([0-9a-f]{2})*$"}, "contentEncoding": "hex"},
    _matching(HEX),
    in_csv=hexadecimal,
    in_json=hexadecimal,
    for_copy=lambda text: f"\\x{text}",
)
DOCUMENT = Kind(
    "json", {"type": "any", "contentMediaType": "application/json"}, _is_json, in_csv=as_text, document=True
)
LIST = Kind("list", {"type": "array"}, _is_list, in_csv=_list_text, for_copy=array_literal, document=True)

#: The first type that fits decides, so that a subtype stands before what it is a kind of.
KINDS: tuple[tuple[type[Any], Kind], ...] = (
    (sa.Boolean, BOOLEAN),
    (sa.Integer, WHOLE),
    (sa.Numeric, DECIMAL),
    (sa.Uuid, UUID),
    (sa.DateTime, MOMENT),
    (sa.Date, DATE),
    (sa.LargeBinary, BYTES),
    (postgresql.JSONB, DOCUMENT),
    (sa.ARRAY, LIST),
    (sa.String, TEXT),
)


@dataclass(frozen=True, slots=True)
class Field:
    """A column as bundles know it."""

    name: str
    kind: Kind
    required: bool
    sealed: bool = False
    words: frozenset[str] | None = None
    """The only words it may hold, when a CHECK lists them."""
    at_rest: AtRest | None = None

    def wrong_with(self, text: str | None) -> str | None:
        """What is wrong with a value, as the end of a sentence; None when nothing is."""
        if text is None:
            return "is missing" if self.required else None
        if not self.kind.holds(text):
            return f"is no {self.kind.name}"
        if self.words is not None and text not in self.words:
            return "is none of the words this field may hold"
        return None


def kind_of_field(described: Mapping[str, Any]) -> Kind | None:
    """The kind that a table schema describes; None when it is none of ours."""
    for _, kind in KINDS:
        if all(described.get(name) == value for name, value in kind.field.items() if name != "constraints"):
            return kind
    return None


def kind_of(column: Column[Any]) -> Kind:
    """The kind of a column. Raises NoKind for a type that nobody has decided on."""
    if column.info.get("sealed"):
        return TEXT
    for type_, kind in KINDS:
        if isinstance(column.type, type_):
            if kind is MOMENT and not getattr(column.type, "timezone", False):
                break
            return kind
    raise NoKind(f"{column.table.name}.{column.name}: bundles don't know how to carry {column.type!r}.")
