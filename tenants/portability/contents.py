"""What a bundle holds of a tenant, worked out from the models, and what it leaves out and why."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import CheckConstraint, Column, ColumnElement, Table, func

from tenants.foundation.tables import Base, DataClass, Purpose
from tenants.portability.columns import BYTES, Field, kind_of

WORDS = re.compile(r"'([^']*)'")
CREDENTIALS_STAY = "Credentials are good in one place only. People set a new password, programs get new keys."
WORKED_OUT = "Worked out from other columns; the tables do it again."


@dataclass(frozen=True)
class Reference:
    """A foreign key of one column: the column, and the table and column it points at."""

    column: str
    table: str
    target: str
    closes_circle: bool


@dataclass(frozen=True)
class BundleTable:
    """A table as bundles know it. The columns begin with the key and the sealed ones, so that rows split cheaply."""

    name: str
    purpose: Purpose
    columns: tuple[Field, ...]
    key: tuple[str, ...]
    unique: tuple[tuple[str, ...], ...]
    references: tuple[Reference, ...]
    names_tenant: tuple[str, ...]
    """Columns that name the tenant itself or say how it stands; a copy of the tenant has its own."""
    table: Table = field(repr=False, compare=False)

    @property
    def sealed(self) -> tuple[Field, ...]:
        return tuple(each for each in self.columns if each.sealed)

    def stored(self, field_: Field) -> ColumnElement[Any]:
        """The value of a column as it was recorded, whatever became of it in a copy."""
        column: ColumnElement[Any] = self.table.c[field_.name]
        return (
            column if field_.at_rest is None else func.coalesce(self.table.c[field_.at_rest.beside], column)
        )

    @property
    def path(self) -> str:
        return f"data/{self.name}"


@dataclass(frozen=True)
class LeftOut:
    """A table, or some columns of one, that no bundle holds."""

    table: str
    columns: tuple[str, ...]
    reason: str


@lru_cache(2)
def tables(*, whole: bool = False) -> tuple[BundleTable, ...]:
    """Every table that a bundle holds, referred-to tables before those that refer to them.

    A `whole` bundle is the tenant itself, put elsewhere for a while: it holds credentials and work in progress too, and
    sealed values as they are sealed.
    """
    return tuple(
        _bundle_table(table, whole=whole)
        for table in Base.metadata.sorted_tables
        if _reason_to_stay(table, whole=whole) is None
    )


@lru_cache(2)
def left_out(*, whole: bool = False) -> tuple[LeftOut, ...]:
    """Everything that no such bundle holds, with the reasons."""
    return tuple(_left_out(whole=whole))


def _left_out(*, whole: bool) -> Iterator[LeftOut]:
    for table in Base.metadata.sorted_tables:
        if reason := _reason_to_stay(table, whole=whole):
            yield LeftOut(str(table.name), (), reason)
            continue
        reasons = {each.name: _reason_to_leave(each, whole=whole) for each in table.columns}
        for reason in dict.fromkeys(filter(None, reasons.values())):
            yield LeftOut(
                str(table.name), tuple(name for name, why in reasons.items() if why == reason), reason
            )


def _reason_to_stay(table: Table, *, whole: bool) -> str | None:
    """Why no row of a table travels: the model says so (`__stays__`), or its rows are nothing without a secret."""
    model = _model_of(table)
    said: str | None = getattr(model, "__stays__", None)
    if whole:
        return said if model.__of_this_place__ else None
    if said:
        return said
    secret = any(_is_credential(each) and not each.nullable for each in table.columns)
    return CREDENTIALS_STAY if secret else None


def _reason_to_leave(column: Column[Any], *, whole: bool) -> str | None:
    if column.computed is not None:
        return WORKED_OUT
    if whole:
        return None
    if _is_credential(column):
        return CREDENTIALS_STAY
    said: str | None = column.info.get("stays")
    return said


def _is_credential(column: Column[Any]) -> bool:
    return column.info.get("data") is DataClass.CREDENTIAL


def _bundle_table(table: Table, *, whole: bool) -> BundleTable:
    model = _model_of(table)
    key = tuple(each.name for each in table.primary_key)
    columns = [
        _field(each, whole=whole) for each in table.columns if _reason_to_leave(each, whole=whole) is None
    ]
    # Python's sort keeps the order of equals: the key, the sealed ones, then the rest as declared.
    columns.sort(key=lambda each: 0 if each.name in key else 1 if each.sealed else 2)
    if any(each.sealed for each in columns) and key != ("id",):
        raise TypeError(f"{table.name} has sealed columns and no id to bind them to.")
    return BundleTable(
        name=str(table.name),
        purpose=model.__purpose__,
        columns=tuple(columns),
        key=key,
        unique=tuple(_unique(table)),
        references=tuple(_references(table, whole=whole)),
        names_tenant=() if whole else tuple(getattr(model, "__names_tenant__", ())),
        table=table,
    )


def _unique(table: Table) -> Iterator[tuple[str, ...]]:
    """The columns whose values together come once; an index over an expression says nothing of columns."""
    yield from ((each.name,) for each in table.columns if each.unique)
    for index in table.indexes:
        plain = all(isinstance(part, Column) for part in index.expressions)
        if index.unique and plain and len(index.columns) > 1:
            yield tuple(column.name for column in index.columns)


def _field(column: Column[Any], *, whole: bool) -> Field:
    if whole:
        kind = BYTES if column.info.get("sealed") else kind_of(column)
        return Field(str(column.name), kind, not column.nullable, words=_words(column))
    sealed = bool(column.info.get("sealed"))
    at_rest = column.info.get("at_rest")
    return Field(str(column.name), kind_of(column), not column.nullable, sealed, _words(column), at_rest)


def _words(column: Column[Any]) -> frozenset[str] | None:
    """The words of a CHECK as `one_of` writes it."""
    for each in column.table.constraints:
        if isinstance(each, CheckConstraint) and (
            found := re.fullmatch(rf"{column.name} in \((.*)\)", str(each.sqltext))
        ):
            return frozenset(WORDS.findall(found[1]))
    return None


def _references(table: Table, *, whole: bool) -> Iterator[Reference]:
    for each in table.foreign_key_constraints:
        if len(each.elements) == 1 and _reason_to_stay(each.referred_table, whole=whole) is None:
            element = each.elements[0]
            yield Reference(
                element.parent.name, str(each.referred_table.name), element.column.name, bool(each.use_alter)
            )  # fmt: skip


@lru_cache(512)
def _model_of(table: Table) -> Any:
    return next(mapper.class_ for mapper in Base.registry.mappers if mapper.local_table is table)
