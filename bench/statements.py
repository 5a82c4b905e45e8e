"""The statements that the running program really sends for a request, taken down at the driver.

The program answers the requests in this process, so that the limit can't drift away from the code.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from uuid import UUID

import psycopg
from psycopg import sql

from bench.scripts import Expression, RoundTrip, Statement
from tenants.isolation import trips
from tenants.isolation.trips import Trips

Sent = tuple[str, Mapping[str, Any]]


@contextmanager
def taken_down() -> Iterator[list[Sent]]:
    """Everything that any trip takes along or any cursor executes while the block runs."""
    sent: list[Sent] = []
    go, execute, executemany = Trips.go, psycopg.Cursor.execute, psycopg.Cursor.executemany

    def note_trip(connection: Trips, *statements: trips.Statement) -> Any:
        sent.extend((each.sql, dict(each.values)) for each in statements)
        return go(connection, *statements)

    def note(cursor: Any, query: Any, values: Any = None, **options: Any) -> Any:
        sent.append(_named(_text(query, cursor), values))
        return execute(cursor, query, values, **options)

    def note_many(cursor: Any, query: Any, rows: Any, **options: Any) -> Any:
        rows = list(rows)
        sent.extend(_named(_text(query, cursor), values) for values in rows)
        return executemany(cursor, query, rows, **options)

    with (
        patch.object(Trips, "go", note_trip),
        patch.object(psycopg.Cursor, "execute", note),
        patch.object(psycopg.Cursor, "executemany", note_many),
    ):
        yield sent


def _text(query: Any, cursor: Any) -> str:
    if isinstance(query, sql.Composable):
        return query.as_string(cursor)
    return query.decode() if isinstance(query, bytes) else str(query)


def _named(text: str, values: Any) -> Sent:
    """Values by name, also where they were given by place."""
    if values is None:
        return text.replace("%", "%%"), {}
    if isinstance(values, Mapping):
        return text, dict(values)
    numbers = itertools.count()
    named = "".join(
        part if number == 0 else f"%(value_{next(numbers)})s{part}"
        for number, part in enumerate(text.split("%s"))
    )
    return named, {f"value_{place}": value for place, value in enumerate(values)}


def round_trip(role: str, requests: Sequence[Callable[[], None]]) -> RoundTrip:
    """What most of these requests send. Each is a call that makes the program answer one."""
    seen: list[list[Sent]] = []
    for request in requests:
        with taken_down() as sent:
            request()
        seen.append(list(sent))
    shapes = Counter(tuple(text for text, _ in each) for each in seen)
    shape, _ = shapes.most_common(1)[0]
    alike = [each for each in seen if tuple(text for text, _ in each) == shape]
    fresh = _fresh_ids(alike[0])
    made = [
        Statement(text, [_sample(each[place][1], alike[0][place][1], fresh) for each in alike])
        for place, text in enumerate(shape)
    ]
    return RoundTrip(role, made)


def _fresh_ids(sent: Sequence[Sent]) -> dict[Any, Expression]:
    """The keys of new rows, each with SQL that makes another one: new for each transaction, one within it."""
    keys = [values["id"] for text, values in sent if "insert into" in text.lower() and "id" in values]
    moment = "lpad(to_hex((extract(epoch from now()) * 1000)::bigint), 12, '0')"
    return {
        key: Expression(f"({moment} || lpad(to_hex(:n::bigint), 18, '0') || '{number:02x}')::uuid")
        for number, key in enumerate(keys)
    }


def _sample(
    values: Mapping[str, Any], first: Mapping[str, Any], fresh: Mapping[Any, Expression]
) -> dict[str, Any]:
    """The values of one request, with fresh keys where the first request had them."""
    return {
        name: fresh[first[name]] if isinstance(first[name], UUID) and first[name] in fresh else value
        for name, value in values.items()
    }
