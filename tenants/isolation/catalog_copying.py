"""The catalog's rows out of it from one snapshot and into it, by COPY, for backups."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import psycopg
from psycopg import sql

from tenants.isolation.conninfo import conninfo
from tenants.isolation.owner import as_owner

Connection = psycopg.Connection
#: What COPY writes depends on these; a backup reads the same wherever it comes in.
SAME_EVERYWHERE = (
    "set local timezone = 'UTC'",
    "set local datestyle = 'ISO, YMD'",
    "set local intervalstyle = 'postgres'",
    "set local bytea_output = 'hex'",
    "set local extra_float_digits = 1",
    "set local statement_timeout = 0",
    "set local idle_in_transaction_session_timeout = 0",
)


@contextmanager
def snapshot_of_catalog(url: str) -> Iterator[Connection]:
    """Everything in the block sees the catalog as it was at one moment, however long it takes."""
    with psycopg.connect(conninfo(url)) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        _same(connection)
        yield connection


@contextmanager
def filling_catalog(owner_url: str | None) -> Iterator[Connection]:
    """One transaction of the owner, in which the catalog is emptied and filled, or stays as it was."""
    with as_owner(owner_url) as connection:
        _same(connection)
        yield connection


def catalog_rows(connection: Connection, table: str, columns: Sequence[str]) -> Iterator[bytes]:
    """The rows of one table, each as a line of COPY's text format."""
    command = sql.SQL("copy {} ({}) to stdout").format(sql.Identifier("catalog", table), _listed(columns))
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        rest = b""
        for piece in copy:
            *lines, rest = (rest + bytes(piece)).split(b"\n")
            yield from lines


@contextmanager
def rows_into_catalog(
    connection: Connection, table: str, columns: Sequence[str]
) -> Iterator[Callable[[bytes], None]]:
    """A function that takes such lines, each with its line feed."""
    command = sql.SQL("copy {} ({}) from stdin").format(sql.Identifier("catalog", table), _listed(columns))
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        yield copy.write


def empty_tables(connection: Connection, tables: Iterable[str]) -> None:
    """Delete every row of these tables of the catalog."""
    named = sql.SQL(", ").join(sql.Identifier("catalog", each) for each in tables)
    connection.execute(sql.SQL("truncate {}").format(named))


def put_into(connection: Connection, table: str, values: Mapping[str, object]) -> None:
    """Insert one row into a table of the catalog."""
    connection.execute(
        sql.SQL("insert into {} ({}) values ({})").format(
            sql.Identifier("catalog", table),
            _listed(list(values)),
            sql.SQL(", ").join(map(sql.Placeholder, values)),
        ),
        values,
    )


def _same(connection: Connection) -> None:
    for each in SAME_EVERYWHERE:
        connection.execute(each.encode())


def _listed(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))
