"""Reads in one trip: role, guard and question go to the database together, as one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from tenants.catalog.registry import Home
from tenants.isolation.away import is_lost, translated
from tenants.isolation.cells import Entrance, entering
from tenants.isolation.door import engine_of
from tenants.isolation.trips import Statement, Trips

BECOME_READER = "select set_config('role', %(role)s, true), set_config('transaction_read_only', 'on', true)"


@dataclass(frozen=True, slots=True)
class Question:
    """A statement with `%(name)s` parameters, and their values."""

    sql: str
    values: Mapping[str, Any]


def read(home: Home, *questions: Question) -> list[list[tuple[Any, ...]]]:
    """The rows of each question, all from one read-only transaction in the tenant's role, in one round trip.

    Raises Unavailable when the database can't be reached or a question takes too long.
    """
    with translated():
        try:
            return _read(home, questions)
        except psycopg.OperationalError as error:
            if not is_lost(error):
                raise
            # The server was started again: every connection of the pool is dead, and a read can be repeated.
            engine_of(home).dispose()
            return _read(home, questions)


def _read(home: Home, questions: Sequence[Question]) -> list[list[tuple[Any, ...]]]:
    entry = checked_out(home)
    role = entry.info["role"] = home.role  # the pool gives this connection to the same tenant again
    try:
        trips: Trips = entry.info["trips"]
        asked = [Statement(each.sql, each.values, role) for each in questions]
        return trips.go(Statement(BECOME_READER, {"role": role}), *asked)[1:]
    except psycopg.OperationalError as error:
        entry.invalidate(error)
        raise
    finally:
        entry.close()


def checked_out(home: Home) -> Any:
    """A connection of the tenant's cell, most likely the one that served it last. Whoever takes it closes it."""
    token = entering.set(Entrance(home.role))
    try:
        return engine_of(home).raw_connection()
    finally:
        entering.reset(token)
