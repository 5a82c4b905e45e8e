"""Puts the benchmark's rows into tables by COPY, the quickest way there is."""

from collections.abc import Iterable
from typing import Any

from psycopg import Connection, sql

from bench.data import Row


def copy_rows(connection: Connection[Any], table: str, rows: Iterable[Row]) -> None:
    """All rows have the same columns."""
    upcoming = iter(rows)
    first = next(upcoming, None)
    if first is None:
        return
    columns = sql.SQL(", ").join(map(sql.Identifier, first))
    command = sql.SQL("copy {} ({}) from stdin").format(sql.Identifier(table), columns)
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        copy.write_row(list(first.values()))
        for row in upcoming:
            copy.write_row(list(row.values()))


def one(connection: Connection[Any], query: sql.Composed | sql.SQL, *values: Any) -> Any:
    """The single value of a query that has one."""
    row = connection.execute(query, values).fetchone()
    assert row is not None, "The query was to give one row."
    return row[0]
