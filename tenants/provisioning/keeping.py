"""Keeps what is being made from being swept away, for as long as the process that makes it lives."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy.exc import SQLAlchemyError

from tenants.foundation.meanwhile import meanwhile
from tenants.isolation.owner import OwnerError

EVERY_SECONDS = 60.0
log = structlog.get_logger(__name__)


@contextmanager
def kept(say_so: Callable[[], None]) -> Iterator[None]:
    """Say so again and again while the block lasts, however long it is silent (one statement of a migration may be)."""

    def keep() -> None:
        try:
            say_so()
        except (SQLAlchemyError, OwnerError) as error:
            log.warning("claim_not_kept", error=type(error).__name__)

    with meanwhile(keep, every_seconds=EVERY_SECONDS):
        yield
