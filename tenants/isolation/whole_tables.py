"""Whole tables out of the tenant at hand and into it, by COPY, for bundles."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql
from psycopg.pq import ExecStatus
from sqlalchemy import BindParameter, ColumnElement, Select, Table, func
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.visitors import replacement_traverse

from tenants.foundation.errors import Conflict
from tenants.isolation.door import here
from tenants.isolation.sealing import version_in_force

BATCH_BYTES = 512 * 1024
Rows = list[bytes]
_dialect = postgresql.dialect()  # type: ignore[no-untyped-call]


class Form(Enum):
    """How COPY writes a row. No character of JSON is ever a control character, so JSON comes through as it is.

    TEXT is what `rows_into` reads.
    """

    CSV = b"format csv, null '\\N'"
    TEXT = b"format text"
    JSON = b"format csv, null '\\N', delimiter E'\\x02', quote E'\\x01'"


def rows_out(query: Select[Any], form: Form) -> Generator[Rows, None, None]:
    """The rows of a query in batches of some 512 KiB; each row is one line and ends with a line feed.

    The query's text has to come from models alone.
    """
    text = str(query.compile(dialect=_dialect, compile_kwargs={"literal_binds": True}))
    command = b"copy (" + text.encode() + b") to stdout (" + form.value + b")"
    driver = _driver()
    with driver.cursor() as cursor, cursor.copy(command) as copy:
        over = False
        while not over:
            rows, over = _some_rows(driver, copy)
            if rows:
                yield rows


def without_parameters(
    condition: ColumnElement[bool], values: Mapping[str, Any], of: str
) -> ColumnElement[bool]:
    """The same condition for `rows_out`, because COPY takes no parameters.

    Its values become settings of the transaction at hand (`of` keeps them apart), so that no value is ever a part of
    a statement's text.
    """
    found: dict[str, BindParameter[Any]] = {}

    def setting(element: Any, **_options: Any) -> Any:
        if not isinstance(element, BindParameter) or element.key not in values:
            return None
        found[element.key] = element
        return sa.cast(func.current_setting(f"freehold.{of}_{element.key}"), element.type)

    replaced = replacement_traverse(condition, {}, setting)
    for name, mark in found.items():
        value = sa.cast(sa.literal(values[name], mark.type), sa.Text)
        here().connection.execute(sa.select(func.set_config(f"freehold.{of}_{name}", value, sa.true())))
    return replaced


def _some_rows(driver: psycopg.Connection[Any], copy: psycopg.Copy) -> tuple[Rows, bool]:
    """The next rows, and whether they are the last. psycopg waits where there is none yet: for each row it is slow.

    They are bytes, because Python's garbage collector looks at views again and again, and a batch has thousands.
    """
    received = driver.pgconn.get_copy_data
    rows: Rows = []
    size = 0
    while size < BATCH_BYTES:
        length, row = received(1)
        if length < 0:
            _conclude(driver)
            return rows, True
        found = bytes(row if length else copy.read())
        if not found:
            return rows, True
        rows.append(found)
        size += len(found)
    return rows, False


def _conclude(driver: psycopg.Connection[Any]) -> None:
    """Hear how COPY went, once its last row is here."""
    while result := driver.pgconn.get_result():
        if result.status != ExecStatus.COMMAND_OK:
            raise psycopg.errors.error_from_result(result)


@contextmanager
def rows_into(table: Table, columns: Sequence[str]) -> Iterator[Callable[[bytes], None]]:
    """A function that takes lines in COPY's text format. No audit event follows: what comes brings its own.

    Raises Conflict when a row breaks a rule of the table.
    """
    names = sql.SQL(", ").join(sql.Identifier(name) for name in columns)
    command = sql.SQL("copy {} ({}) from stdin").format(sql.Identifier(table.name), names)
    version_in_force()
    try:
        with _driver().cursor() as cursor, cursor.copy(command) as copy:
            yield copy.write
    except (psycopg.IntegrityError, psycopg.DataError) as error:
        raise Conflict(f"{table.name}: the database refused a row: {error.diag.message_primary}.") from error


def _driver() -> psycopg.Connection[Any]:
    return here().connection.connection.driver_connection  # type: ignore[return-value]
