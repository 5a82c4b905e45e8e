"""Runs the statements of revisions as the owner: one transaction for each step, with its version row in it."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from psycopg import Connection, sql

from tenants.isolation.owner import as_owner, run_all
from tenants.isolation.roles import birth, death, grants, path

LOCK_TIMEOUT = sql.SQL("set local lock_timeout = '5s'")
# Whoever comes second waits as long as it takes, then finds that there is nothing left to do.
PATIENCE = sql.SQL("set local lock_timeout = 0")
ALONE = "select pg_advisory_xact_lock(hashtextextended('freehold migrates the catalog', 0))"
PAUSE_SECONDS = 0.1
#: The table that says where a schema stands is there before its first revision.
LEDGER = sql.SQL("create table schema_revision (revision text primary key)")
ALONE_WITH = sql.SQL("select pg_try_advisory_lock(hashtextextended({}, 0))")


class Step(Protocol):
    """A named list of statements, and whether they run in a transaction (concurrent indexes can't)."""

    @property
    def name(self) -> str: ...
    @property
    def statements(self) -> Sequence[str]: ...
    @property
    def transactional(self) -> bool: ...


StepsSince = Callable[[str | None], Iterable[Step]]


def step_catalog(owner_url: str, steps_since: StepsSince, names: Sequence[str]) -> None:
    """Take the catalog's schema through the steps it has not seen, and let `freehold_catalog` use these tables."""
    made = sql.SQL("create table if not exists schema_revision (revision text primary key)")
    with as_owner(owner_url) as connection:
        run_all(connection, [PATIENCE, ALONE, LOCK_TIMEOUT, path("catalog"), made])
        row = connection.execute("select revision from schema_revision").fetchone()
        for step in steps_since(row[0] if row else None):
            run_all(connection, [LOCK_TIMEOUT, *step.statements, *mark(step.name)])
        tables = sql.SQL(", ").join(sql.Identifier("catalog", name) for name in names)
        connection.execute(
            sql.SQL("grant select, insert, update, delete on {} to freehold_catalog").format(tables)
        )


def step_tenant(owner_url: str | None, role: str, steps_since: StepsSince) -> None:
    """Take a tenant's schema through the steps it has not seen: each with its version row in one transaction.

    The schema's own row says where it is. Of several that want to step one tenant, one does and the others wait; the
    lock ends with the connection. Raises OwnerError when a statement fails; what was committed stays.
    """
    with as_owner(owner_url, autocommit=True) as connection:
        _wait_for_others(connection, role)
        since = _revision_of(connection, role)
        for step in steps_since(since):
            if step.transactional:
                with connection.transaction():
                    run_all(connection, [LOCK_TIMEOUT, path(role), *step.statements, *mark(step.name)])
            else:
                _run_outside(connection, role, step)
        with connection.transaction():
            run_all(connection, [path(role), *grants(role)])


def build(owner_url: str | None, role: str, steps: Sequence[Step]) -> None:
    """Make a tenant's schema and role anew, at the last of these steps; whatever had that name is gone.

    Its role may fill every table until `grant_exactly` is called.
    """
    tenant = sql.Identifier(role)
    with as_owner(owner_url, autocommit=True) as connection:
        with connection.transaction():
            run_all(connection, [*death(role), *birth(role), path(role), LEDGER])
        for step in steps:
            if step.transactional:
                with connection.transaction():
                    run_all(connection, [path(role), *step.statements, *mark(step.name)])
            else:
                _run_outside(connection, role, step)
        with connection.transaction():
            filling = sql.SQL("grant select, insert, update on all tables in schema {} to {}")
            run_all(connection, [filling.format(tenant, tenant)])


def grant_exactly(owner_url: str | None, role: str) -> None:
    """Give a tenant's role what it may do, and nothing else."""
    tenant = sql.Identifier(role)
    with as_owner(owner_url) as connection:
        everything = sql.SQL("revoke all on all tables in schema {} from {}").format(tenant, tenant)
        run_all(connection, [path(role), everything, *grants(role)])


def drop(owner_url: str | None, role: str) -> None:
    """Drop a tenant's schema and role, if they are there."""
    with as_owner(owner_url) as connection:
        run_all(connection, death(role))


def _wait_for_others(connection: Connection, role: str) -> None:
    """By asking again: a statement that waits holds a snapshot, for which a concurrent index would wait in turn."""
    question = ALONE_WITH.format(sql.Literal(f"freehold migrates {role}"))
    while connection.execute(question).fetchone() != (True,):
        time.sleep(PAUSE_SECONDS)


def _run_outside(connection: Connection, role: str, step: Step) -> None:
    """Statements that no transaction may hold; each must be one that can be run again (`if not exists`)."""
    connection.execute(sql.SQL("set search_path = {}").format(sql.Identifier(role)))
    for statement in step.statements:
        connection.execute(statement.encode())
    with connection.transaction():
        run_all(connection, mark(step.name))
    connection.execute("reset search_path")


def _revision_of(connection: Connection, role: str) -> str | None:
    row = connection.execute(
        sql.SQL("select revision from {}").format(sql.Identifier(role, "schema_revision"))
    ).fetchone()
    return row[0] if row else None


def mark(revision: str) -> Iterator[sql.Composed]:
    """The statements that say in a schema which revision it is at."""
    yield sql.SQL("delete from schema_revision").format()
    yield sql.SQL("insert into schema_revision (revision) values ({})").format(sql.Literal(revision))
