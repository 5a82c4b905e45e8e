"""New records by one prepared statement each, sent along with whatever is asked next."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Table, bindparam, insert
from sqlalchemy.dialects.postgresql import JSONB

from tenants.foundation.tables import Base
from tenants.isolation.dialect import compiled
from tenants.isolation.door import here
from tenants.isolation.sealing import place, sealed_columns, sealed_text

Observer = Callable[[Base], None]
_observers: list[Observer] = []


def observe_inserts(observer: Observer) -> None:
    """Have every record that `insert_record` writes shown to this function, before its sealed values are closed."""
    if observer not in _observers:
        _observers.append(observer)


def insert_record(record: Base) -> None:
    """Write a record that nothing more happens to in this transaction; it stays outside of the session.

    It is sent with the next `ask`, or before the commit at the latest: a constraint is refused there.
    """
    table = type(record).__table__
    assert isinstance(table, Table)  # noqa: S101 - narrows the type for mypy
    _fill_defaults(record, table)
    for observer in _observers:
        observer(record)
    sealed = set(sealed_columns(type(record)))
    values: dict[str, Any] = {}
    for column in table.columns:
        value = getattr(record, column.key) if column.computed is None else None
        if value is None:
            continue
        if column.key in sealed:
            value = sealed_text(value, place(record, column.key))
        elif isinstance(column.type, JSONB):
            value = orjson.dumps(value).decode()
        values[column.key] = value
    here().send_along(_statement(table, tuple(values)), values)


def _fill_defaults(record: Base, table: Table) -> None:
    for column in table.columns:
        default = column.default
        if default is None or getattr(record, column.key) is not None:
            continue
        if default.is_callable:
            setattr(record, column.key, default.arg(None))  # type: ignore[attr-defined]
        elif default.is_scalar:
            setattr(record, column.key, default.arg)  # type: ignore[attr-defined]


@lru_cache(1000)
def _statement(table: Table, names: tuple[str, ...]) -> str:
    marks = {name: bindparam(name, type_=table.c[name].type) for name in names}
    return compiled(insert(table).values(marks)).string
