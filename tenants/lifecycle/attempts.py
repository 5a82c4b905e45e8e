"""One attempt to take a tenant through its steps: leased, fenced, and shown as it goes on."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from math import inf
from time import monotonic, sleep
from typing import Any, Generic, TypeVar
from uuid import UUID

import structlog
from sqlalchemy import func, or_, select, update
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from tenants.catalog.registry import Catalog
from tenants.foundation.encryption import Unreadable
from tenants.foundation.errors import Conflict, Refusal
from tenants.foundation.meanwhile import meanwhile
from tenants.isolation.owner import OwnerError
from tenants.lifecycle.models import Stepwise

log = structlog.get_logger(__name__)
SHOWN_EVERY_SECONDS = 1.0
#: How long a database that crashed is waited for, and how often it is asked.
RESTARTS_WITHIN = timedelta(seconds=30)
AGAIN_AFTER_SECONDS = 0.5
Told = Callable[[str, int], None]
Row = TypeVar("Row", bound=Stepwise)
#: What ends an attempt and not the round: it is on record in the row, and tried again.
FORESEEN = (Refusal, Unreadable, OwnerError, SQLAlchemyError, OSError)


class Overtaken(Exception):
    """Somebody else took this over meanwhile: this attempt stops, and has changed nothing since."""


class Attempt(Generic[Row]):
    """One attempt at one row, under a lease. `row` is what it said at the latest step."""

    def __init__(
        self, catalog: Catalog, row: Row, lease: timedelta, told: Told = lambda _phase, _rows: None
    ) -> None:
        self.catalog, self.row, self._lease, self._told = catalog, row, lease, told
        self._shown_at = -inf

    def hold(self, session: Session) -> Row:
        """The row, locked while the catalog's transaction at hand lasts. Raises Overtaken."""
        model = type(self.row)
        mine = (model.id == self.row.id, model.attempt == self.row.attempt, model.step == self.row.step)
        found = session.scalars(select(model).where(*mine).with_for_update()).one_or_none()
        if found is None:
            raise Overtaken
        return found

    def go_to(self, session: Session, step: str, **values: Any) -> None:
        """Move on in the transaction at hand, which has to hold the row."""
        held = self.hold(session)
        held.step, held.error = step, None
        for name, value in values.items():
            setattr(held, name, value)

    def advance(self, step: str, **values: Any) -> None:
        """Move on. Raises Overtaken."""
        with self.catalog.transaction() as session:
            self.go_to(session, step, **values)

    def again(self) -> None:
        """Read the row again, for the next step."""
        with self.catalog.transaction() as session:
            self.row = session.get_one(type(self.row), self.row.id)

    def go_through(self, steps: Mapping[Any, Callable[[Any], None]]) -> None:
        """Step by step until it rests. What went wrong is raised, and on record in the row too."""
        error: str | None = None
        try:
            with self.kept():
                while (step := steps.get(self.row.step)) is not None:
                    step(self)
                    self.again()
        except Overtaken:
            return
        except FORESEEN as problem:
            error = sentence(problem)
            raise
        finally:
            self.let_go(error)

    def tell(self, phase: str) -> Told:
        """Shows how many rows are done, and keeps the lease; what begins is shown at once."""
        self._shown_at = -inf

        def told(_table: str, rows: int) -> None:
            self._told(phase, rows)
            if monotonic() - self._shown_at < SHOWN_EVERY_SECONDS:
                return
            self._shown_at = monotonic()
            with self.catalog.transaction() as session:
                held = self.hold(session)
                held.phase, held.done, held.lease_until = phase, rows, func.clock_timestamp() + self._lease

        return told

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep the lease while the block lasts, however long it is silent; it ends soon after this process does."""

        def keep() -> None:
            try:
                self._let_lease(func.clock_timestamp() + self._lease)
            except SQLAlchemyError as error:
                log.warning("lease_not_kept", error=type(error).__name__)

        with meanwhile(keep, every_seconds=self._lease.total_seconds() / 4):
            yield

    def let_go(self, error: str | None = None) -> None:
        """End the lease; `error` is shown to whoever asks what became of it.

        A catalog that is just starting again is waited for: otherwise nobody goes on before the lease is over.
        """
        deadline = monotonic() + min(self._lease, RESTARTS_WITHIN).total_seconds()
        while True:
            try:
                return self._let_lease(None, **({"error": error} if error else {}))
            except (OperationalError, InterfaceError):
                if monotonic() > deadline:
                    raise
                sleep(AGAIN_AFTER_SECONDS)

    def _let_lease(self, until: Any, **said: Any) -> None:
        model = type(self.row)
        mine = update(model).where(model.id == self.row.id, model.attempt == self.row.attempt)
        with self.catalog.transaction() as session:
            session.execute(mine.values(lease_until=until, **said))


def leased(catalog: Catalog, model: type[Row], row_id: UUID, lease: timedelta) -> Row:
    """The row, with the number of a new attempt. Raises Conflict when somebody else is working on it."""
    clock = func.clock_timestamp()
    free = or_(model.lease_until.is_(None), model.lease_until < clock)
    mine = update(model).where(model.id == row_id, free)
    mine = mine.values(attempt=model.attempt + 1, lease_until=clock + lease)
    with catalog.transaction() as session:
        row = session.scalars(mine.returning(model)).one_or_none()
    if row is None:
        raise Conflict("Somebody is working on this already.", code="taken")
    return row


def sentence(problem: BaseException) -> str:
    """What may be shown: a refusal's own words, or the kind of fault."""
    return str(problem) if isinstance(problem, Refusal) else f"{type(problem).__name__}; it is tried again."


def take_up(catalog: Catalog, model: type[Row], rests: tuple[str, ...], go_on: Callable[[UUID], None]) -> int:
    """Go on with every row that is on its way and that nobody works on, oldest first; how many there were.

    What ends the attempt at one of them holds up none of the others.
    """
    free = or_(model.lease_until.is_(None), model.lease_until < func.clock_timestamp())
    on_their_way = select(model.id).where(model.step.not_in(rests), free).order_by(model.id)
    with catalog.transaction() as session:
        found = list(session.scalars(on_their_way))
    for each in found:
        try:
            go_on(each)
        except FORESEEN as problem:
            log.warning("attempt_waits", of=model.__name__, id=str(each), reason=sentence(problem))
    return len(found)
