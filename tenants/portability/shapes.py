"""Documents (JSON) of a bundle have to be what the program takes them for: a list, or an object with names."""

from collections.abc import Iterator
from typing import Any, get_args, get_origin, get_type_hints

import sqlalchemy as sa
from sqlalchemy import ColumnElement, func, literal, or_, select
from sqlalchemy.dialects.postgresql import JSONB

from tenants.foundation.tables import Base
from tenants.isolation.door import db

KINDS = {list: "array", dict: "object"}


def misshapen() -> list[str]:
    """The columns of the tenant at hand, `table.column`, that hold a document which is none of theirs."""
    return [name for mapper in Base.registry.mappers for name in _misshapen(mapper)]


def _misshapen(mapper: Any) -> Iterator[str]:
    hints = get_type_hints(mapper.class_)
    kept = {each.key: each.columns[0] for each in mapper.column_attrs}
    documents = {key: column for key, column in kept.items() if isinstance(column.type, JSONB)}
    if not documents:
        return
    found = [func.bool_or(_is_other(column, hints[key])).label(key) for key, column in documents.items()]
    row = db().execute(select(*found)).one()
    yield from (f"{mapper.local_table.name}.{documents[key].name}" for key in documents if getattr(row, key))


def _is_other(column: Any, hint: Any) -> ColumnElement[bool]:
    """Whether a document is of another kind than the model says; one that may be missing may be null as well."""
    (said,) = get_args(hint)
    parts = [said] if get_origin(said) in KINDS else [*get_args(said)]
    known = {KINDS[origin] for each in parts if (origin := get_origin(each)) in KINDS}
    if type(None) in parts:
        known.add("null")
    kind = func.jsonb_typeof(column)
    return sa.and_(kind.is_not(None), ~or_(*(kind == literal(each) for each in sorted(known))))
