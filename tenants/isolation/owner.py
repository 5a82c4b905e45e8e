"""The owner's connection, for DDL, grants and drops: held by `migrate` and the platform worker, never by the web."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from tenants.foundation.errors import Unavailable
from tenants.isolation.conninfo import conninfo

Statement = sql.SQL | sql.Composed | str
OwnerError = psycopg.Error


@contextmanager
def as_owner(url: str | None, *, autocommit: bool = False) -> Iterator[psycopg.Connection]:
    """One transaction of the owner on one cell (or none, with `autocommit`).

    Raises Unavailable when this process was not given the owner's URL.
    """
    if url is None:
        raise Unavailable(
            "This process may not change the database's structure: FREEHOLD_OWNER_DATABASE_URL is not set."
        )
    with psycopg.connect(conninfo(url), autocommit=autocommit) as connection:
        yield connection


def run_all(connection: psycopg.Connection, statements: Iterable[Statement]) -> None:
    """Run statements in order in one trip, each as a message of its own (several in one are not distributed by Citus)."""
    with connection.pipeline():
        for statement in statements:
            connection.execute(
                statement if isinstance(statement, sql.SQL | sql.Composed) else statement.encode()
            )
