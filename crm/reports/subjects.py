"""What a report can be about: a resource, what can be measured of it, and what it can be grouped by."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, func

from tenants.access.permissions import Permission
from tenants.http.representation import Resource

MONTH = "month"
Sql = Callable[[Any], ColumnElement[Any]]


class Kind(Enum):
    """How a figure is sent: a number, a fraction as text, or an amount that has its currency with it."""

    COUNT = "count"
    FRACTION = "fraction"
    MONEY = "money"


@dataclass(frozen=True)
class Measure:
    """A figure of a group of records, as SQL over their table; `fields` are those it is worked out from."""

    name: str
    figure: Sql
    fields: frozenset[str] = frozenset()
    kind: Kind = Kind.MONEY
    counts: Sql | None = None
    """Which records have such a figure at all."""


@dataclass(frozen=True)
class Dimension:
    """`fields` are those of the record that it shows. `related` is the record behind one of its keys."""

    name: str
    fields: frozenset[str]
    related: Any = None
    key: str = ""
    shows: str = "name"
    value: Sql | None = field(default=None, compare=False)

    @property
    def is_record(self) -> bool:
        """Whether a group is a record with id and name, or else a value."""
        return self.related is not None and self.shows == "name"


@dataclass(frozen=True)
class Subject:
    """A resource that reports are made of. `days` can decide the month of a record, the first unless said."""

    resource: Resource
    may: Permission
    measures: Mapping[str, Measure]
    dimensions: Mapping[str, Dimension]
    days: tuple[str, ...]

    @property
    def table(self) -> Any:
        return self.resource.mapper.local_table


COUNT = Measure("count", lambda _table: func.count(), kind=Kind.COUNT)
BY_MONTH = Dimension(MONTH, frozenset())


def total(name: str, column: str, *, perhaps: bool = False) -> Measure:
    """The sum of an amount; `perhaps` when not every record has one."""
    there: Sql | None = (lambda table: table.c[column].is_not(None)) if perhaps else None
    return Measure(name, lambda table: func.sum(table.c[column]), frozenset({name}), counts=there)


def by_record(name: str, model: Any) -> Dimension:
    return Dimension(name, frozenset({name, f"{name}_id"}), model, f"{name}_id")


def by_value(name: str, column: str, shown: str | None = None) -> Dimension:
    return Dimension(name, frozenset({shown or column}), value=lambda table: table.c[column])


def named(*parts: Any) -> Mapping[str, Any]:
    """Measures or dimensions by their names, in order."""
    return {each.name: each for each in parts}
