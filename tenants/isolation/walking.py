"""Walks over many tenants with one statement: a transaction in each tenant's role, many of them in one trip."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import psycopg
import structlog

from tenants.catalog.registry import Home
from tenants.foundation.errors import Unavailable
from tenants.isolation.cells import BECOME
from tenants.isolation.reading import checked_out

log = structlog.get_logger(__name__)
IN_ONE_TRIP = 100
Row = tuple[Any, ...]


def walk(
    homes: Sequence[Home], statement: str, values: Mapping[str, Any]
) -> Iterator[tuple[Home, list[Row]]]:
    """The rows of a statement with `%(name)s` parameters, for each tenant in turn, over one connection of its cell.

    A tenant in which it fails is logged and left out, and so is a cell that can't be reached: the others are not
    to suffer for it. Raises Unavailable when none can be.
    """
    lost: Unavailable | None = None
    reached = False
    for cell in sorted({home.cell for home in homes}):
        left = iter([home for home in homes if home.cell == cell])
        try:
            while some := list(islice(left, IN_ONE_TRIP)):
                found = _visit(some, statement, values)
                reached = True
                yield from found
        except Unavailable as error:
            log.warning("cell_left_out", cell=cell, reason=str(error))
            lost = error
    if lost is not None and not reached:
        raise lost


def _visit(homes: list[Home], statement: str, values: Mapping[str, Any]) -> list[tuple[Home, list[Row]]]:
    try:
        return _in_one_trip(homes, statement, values)
    except psycopg.OperationalError as error:
        raise Unavailable("The database can't be reached. Try again in a moment.") from error
    except psycopg.Error as error:
        if len(homes) == 1:
            log.warning("tenant_left_out", tenant=str(homes[0].id), reason=str(error).partition("\n")[0])
            return []
        return [found for home in homes for found in _visit([home], statement, values)]


def _in_one_trip(
    homes: list[Home], statement: str, values: Mapping[str, Any]
) -> list[tuple[Home, list[Row]]]:
    entry = checked_out(homes[0])
    try:
        driver: psycopg.Connection = entry.driver_connection
        cursors = []
        with driver.pipeline():
            for home in homes:
                driver.execute(b"begin")
                driver.execute(BECOME.encode(), {"role": home.role}, prepare=False)
                cursors.append(driver.execute(statement.encode(), values, prepare=False))
                driver.execute(b"commit")
        return [(home, cursor.fetchall()) for home, cursor in zip(homes, cursors, strict=True)]
    except psycopg.Error as error:
        # What failed leaves a transaction open in the role of one of them.
        entry.invalidate(error)
        raise
    finally:
        entry.close()
