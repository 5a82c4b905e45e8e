"""The statements that make, grant and drop a tenant's schema and role; only the owner's login runs them."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from psycopg import sql
from sqlalchemy import ForeignKeyConstraint
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import AddConstraint, CreateIndex, CreateTable

from tenants.foundation.tables import Base

EVERYTHING = "select, insert, update, delete"
_dialect = postgresql.dialect()  # type: ignore[no-untyped-call]


def birth(role: str) -> Iterator[sql.Composed]:
    """Role, schema and membership of a new tenant, one top-level statement at a time (Citus distributes those only)."""
    tenant = sql.Identifier(role)
    yield sql.SQL("create role {} nologin").format(tenant)
    yield sql.SQL("grant {} to freehold_app with inherit false, set true").format(tenant)
    yield sql.SQL("create schema {}").format(tenant)
    yield sql.SQL("grant usage on schema {} to {}").format(tenant, tenant)


def path(role: str) -> sql.Composed:
    """What follows is meant for this tenant's schema; for one transaction of the owner."""
    return sql.SQL("set local search_path = {}").format(sql.Identifier(role))


def death(role: str) -> Iterator[sql.Composed]:
    """The end of a tenant's schema and role."""
    yield sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(role))
    yield sql.SQL("drop role if exists {}").format(sql.Identifier(role))


@lru_cache(1)
def tables() -> Sequence[str]:
    """The DDL of every table and index of a tenant, as the models have it."""
    made: list[str] = []
    for table in Base.metadata.sorted_tables:
        made.append(str(CreateTable(table).compile(dialect=_dialect)))
        made.extend(
            str(CreateIndex(index).compile(dialect=_dialect))
            for index in sorted(table.indexes, key=lambda each: str(each.name))
        )
    made.extend(str(AddConstraint(each).compile(dialect=_dialect)) for each in _closing_a_circle())
    return tuple(made)


def _closing_a_circle() -> Iterator[ForeignKeyConstraint]:
    """Foreign keys of tables that refer to each other: they wait until both tables are there."""
    for table in Base.metadata.sorted_tables:
        yield from (each for each in table.foreign_key_constraints if each.use_alter)


def grants(role: str) -> Iterator[sql.Composed]:
    """Explicit lists: `ON ALL TABLES IN SCHEMA` costs more with every tenant in the cluster."""
    for rights, names in sorted(tables_by_rights().items()):
        listed = sql.SQL(", ").join(sql.Identifier(name) for name in names)
        yield sql.SQL("grant {} on {} to {}").format(sql.SQL(rights), listed, sql.Identifier(role))


def tables_by_rights() -> dict[str, list[str]]:
    """The tenant's tables, by what its role may do with their rows."""
    found: dict[str, list[str]] = {}
    for mapper in Base.registry.mappers:
        rights = getattr(mapper.class_, "__rights__", EVERYTHING)
        found.setdefault(rights, []).append(mapper.local_table.name)  # type: ignore[attr-defined]
    return {rights: sorted(names) for rights, names in found.items()}
