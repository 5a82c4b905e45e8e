"""A tenant's schema under another name: nobody gets in by the tenant's own, while it is filled or kept for a way back.

A process that still thinks that the tenant lives there hears from the database that there is no such role.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from psycopg import Connection, sql
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import AddConstraint

from tenants.catalog.registry import Home
from tenants.foundation.tables import Base
from tenants.isolation.memberships import END_CONNECTIONS, STAFF
from tenants.isolation.owner import as_owner, run_all
from tenants.isolation.roles import EVERYTHING, birth, death, path, tables
from tenants.isolation.stepping import mark

IS_THERE = "select 1 from pg_namespace where nspname = %s"
REFERENCES = """
select c.relname, k.conname, k.convalidated from pg_constraint k join pg_class c on c.oid = k.conrelid
where k.connamespace = %s::regnamespace and k.contype = 'f' order by 1, 2
"""
_dialect = postgresql.dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Aside(Home):
    """The copy of a tenant that stands aside on a cell; its schema and its role have a name of their own."""

    @property
    def role(self) -> str:
        return aside_name(self.id)


def aside_name(tenant_id: UUID) -> str:
    """What schema and role of a copy are called."""
    return f"m_{tenant_id.hex}"


def is_there(owner_url: str | None, role: str) -> bool:
    """Whether a cell has a schema of this name."""
    with as_owner(owner_url) as connection:
        return _is_there(connection, role)


def ready_to_fill(owner_url: str | None, copy: Aside, revision: str) -> None:
    """A copy that takes rows in any order: what stood aside at this revision as it is, or else empty tables.

    References are not held until `take_name`; the rows come from where they are.
    """
    role = copy.role
    with as_owner(owner_url) as connection:
        if not _is_at(connection, role, revision):
            run_all(connection, [*death(role), *birth(role), path(role), *tables(), *mark(revision)])
        run_all(connection, [path(role), *_without_references(connection, role), *_grant(EVERYTHING, role)])


def take_name(owner_url: str | None, copy: Aside) -> None:
    """The copy is called as the tenant from now on, and frozen: it can be read and not written. Safe to repeat.

    References are held for what is written from now on; `confirm_references` looks at what is there.
    """
    role, name = copy.role, Home(copy.id, copy.cell).role
    with as_owner(owner_url) as connection:
        if not _is_there(connection, role) and _is_there(connection, name):
            return
        held = [sql.SQL("{} not valid").format(sql.SQL(each)) for each in _references()]
        renewed = [*_without_references(connection, role), *held]
        run_all(connection, [path(role), *renewed, *_grant("select", role), *_renamed(role, name)])


def set_aside(owner_url: str | None, home: Home) -> None:
    """What a cell has under the tenant's name is out of everybody's way from now on, staff's too. Safe to repeat.

    A connection of the staff's login that took the role before would keep it: each of them ends.
    """
    name = aside_name(home.id)
    with as_owner(owner_url) as connection:
        if _is_there(connection, home.role) or not _is_there(connection, name):
            revoked = sql.SQL("revoke {} from {}").format(sql.Identifier(home.role), sql.Identifier(STAFF))
            run_all(connection, [revoked, *_renamed(home.role, name)])
    with as_owner(owner_url) as connection:
        connection.execute(END_CONNECTIONS)


def confirm_references(owner_url: str | None, role: str) -> None:
    """Have the database look at every reference that it took on trust. Nobody waits for it, and it can be repeated."""
    with as_owner(owner_url, autocommit=True) as connection:
        for table, name, confirmed in connection.execute(REFERENCES, [role]).fetchall():
            if not confirmed:
                looked = sql.SQL("alter table {} validate constraint {}")
                connection.execute(looked.format(sql.Identifier(role, table), sql.Identifier(name)))


def _is_there(connection: Connection, role: str) -> bool:
    return connection.execute(IS_THERE, [role]).fetchone() is not None


def _is_at(connection: Connection, role: str, revision: str) -> bool:
    if not _is_there(connection, role):
        return False
    ledger = sql.Identifier(role, "schema_revision")
    return connection.execute(sql.SQL("select revision from {}").format(ledger)).fetchone() == (revision,)


def _without_references(connection: Connection, role: str) -> Iterator[sql.Composed]:
    for table, name, _ in connection.execute(REFERENCES, [role]).fetchall():
        gone = sql.SQL("alter table {} drop constraint {}")
        yield gone.format(sql.Identifier(role, table), sql.Identifier(name))


@lru_cache(1)
def _references() -> tuple[str, ...]:
    """Every reference between a tenant's tables, as the models have it."""
    return tuple(
        str(AddConstraint(each, isolate_from_table=False).compile(dialect=_dialect))
        for table in Base.metadata.sorted_tables
        for each in sorted(table.foreign_key_constraints, key=lambda each: str(each.name))
    )


def _grant(rights: str, role: str) -> Iterator[sql.Composed]:
    tenant = sql.Identifier(role)
    yield sql.SQL("revoke all on all tables in schema {} from {}").format(tenant, tenant)
    yield sql.SQL("grant {} on all tables in schema {} to {}").format(sql.SQL(rights), tenant, tenant)


def _renamed(before: str, after: str) -> Iterator[sql.Composed]:
    for kind in ("schema", "role"):
        renamed = sql.SQL("alter {} {} rename to {}")
        yield renamed.format(sql.SQL(kind), sql.Identifier(before), sql.Identifier(after))
