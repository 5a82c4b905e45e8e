"""Keeps what is being made from being swept away, for as long as the process that makes it lives."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy.exc import SQLAlchemyError

from tenants.isolation.owner import OwnerError

EVERY_SECONDS = 60.0
log = structlog.get_logger(__name__)


@contextmanager
def kept(say_so: Callable[[], None]) -> Iterator[None]:
    """Say so again and again while the block lasts, however long it is silent (one statement of a migration may be)."""
    over = threading.Event()

    def keep() -> None:
        while not over.wait(EVERY_SECONDS):
            try:
                say_so()
            except (SQLAlchemyError, OwnerError) as error:
                log.warning("claim_not_kept", error=type(error).__name__)

    thread = threading.Thread(target=keep, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
