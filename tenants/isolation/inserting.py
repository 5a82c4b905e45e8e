"""New records by one prepared statement each, sent along with whatever is asked next."""

from collections.abc import Callable
from functools import cache, lru_cache, partial
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
    model = type(record)
    given = vars(record)  # it is no row yet: what was not set is not there
    for name, default in _defaults(model):
        if given.get(name) is None:
            setattr(record, name, default())
    for observer in _observers:
        observer(record)
    values = {
        name: value if written is None else written(record, value)
        for name, written in _written(model)
        if (value := given.get(name)) is not None
    }
    here().send_along(_statement(model, tuple(values)), values)


@cache
def _defaults(model: type[Base]) -> tuple[tuple[str, Callable[[], Any]], ...]:
    """The columns that have a value without being given one, and how it is made."""

    def maker(default: Any) -> Callable[[], Any]:
        return partial(default.arg, None) if default.is_callable else lambda: default.arg

    columns = ((each.key, each.default) for each in model.__table__.columns)
    known = ((key, each) for key, each in columns if each is not None)
    return tuple((key, maker(each)) for key, each in known if each.is_callable or each.is_scalar)


@cache
def _written(model: type[Base]) -> tuple[tuple[str, Callable[[Any, Any], Any] | None], ...]:
    """The columns that are written, and what has to be done to a value before."""
    sealed = set(sealed_columns(model))

    def way(column: Any) -> Callable[[Any, Any], Any] | None:
        if column.key in sealed:
            return lambda record, value: sealed_text(value, place(record, column.key))
        if isinstance(column.type, JSONB):
            return lambda _record, value: orjson.dumps(value).decode()
        return None

    return tuple((each.key, way(each)) for each in model.__table__.columns if each.computed is None)


@lru_cache(1000)
def _statement(model: type[Base], names: tuple[str, ...]) -> str:
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101 - narrows the type for mypy
    marks = {name: bindparam(name, type_=table.c[name].type) for name in names}
    return compiled(insert(table).values(marks)).string
