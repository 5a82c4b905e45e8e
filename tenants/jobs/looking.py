"""Looks for what is due, again and again; while the database is away, less often."""

import threading
from collections.abc import Callable

import structlog

from tenants.isolation.away import DATABASE_ERRORS

log = structlog.get_logger(__name__)
LOOK_SECONDS = 1.0
AWAY_SECONDS = 3.0


def keep_looking(do_due: Callable[[], object], stop: threading.Event, *, told: str) -> None:
    """Do what is due until told to stop; without the catalog, try again a little later, with `told` in the log."""
    while not stop.is_set():
        try:
            do_due()
            stop.wait(LOOK_SECONDS)
        except (*DATABASE_ERRORS, OSError) as error:
            log.warning(told, error=type(error).__name__)
            stop.wait(AWAY_SECONDS)
