"""One attempt to take an archive through its steps: leased, fenced, and shown as it goes on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from tenants.catalog.models import Tenant
from tenants.catalog.registry import Catalog, Home
from tenants.foundation.errors import Conflict
from tenants.isolation.keys import KeyWrapper
from tenants.lifecycle.archives.models import Archive, Step
from tenants.lifecycle.changing import Owners

LEASE = timedelta(minutes=2)
SHOWN_EVERY_SECONDS = 1.0
Told = Callable[[str, int], None]


class Overtaken(Exception):
    """Somebody else took this archive over meanwhile: this attempt stops, and has changed nothing since."""


@dataclass(frozen=True)
class Works:
    """What archives are made with. `told` hears of each phase and how many rows are done."""

    catalog: Catalog
    owners: Owners
    wrapper: KeyWrapper
    head: str
    told: Told = field(default=lambda _phase, _rows: None)


class Attempt:
    """One attempt at one archive. `archive` is what its row said at the latest step."""

    def __init__(self, works: Works, archive: Archive) -> None:
        self.works, self.archive = works, archive
        self._shown_at = 0.0

    @property
    def home(self) -> Home:
        return Home(self.archive.tenant_id, self._cell)

    @property
    def owner_url(self) -> str | None:
        return self.works.owners.get(self._cell)

    @property
    def _cell(self) -> str:
        with self.works.catalog.transaction() as session:
            return session.get_one(Tenant, self.archive.tenant_id).cell

    def hold(self, session: Session) -> Archive:
        """The row, locked while the catalog's transaction at hand lasts. Raises Overtaken."""
        mine = (
            Archive.id == self.archive.id,
            Archive.attempt == self.archive.attempt,
            Archive.step == self.archive.step,
        )
        found = session.scalars(select(Archive).where(*mine).with_for_update()).one_or_none()
        if found is None:
            raise Overtaken
        return found

    def go_to(self, session: Session, step: Step, **values: Any) -> None:
        """Move on in the transaction at hand, which has to hold the row."""
        held = self.hold(session)
        held.step, held.error = step, None
        for name, value in values.items():
            setattr(held, name, value)

    def advance(self, step: Step, **values: Any) -> None:
        """Move on. Raises Overtaken."""
        with self.works.catalog.transaction() as session:
            self.go_to(session, step, **values)

    def again(self) -> None:
        """Read the row again, for the next step."""
        with self.works.catalog.transaction() as session:
            self.archive = session.get_one(Archive, self.archive.id)

    def tell(self, phase: str) -> Told:
        """Shows how many rows are done, and keeps the lease."""

        def told(_table: str, rows: int) -> None:
            self.works.told(phase, rows)
            if monotonic() - self._shown_at < SHOWN_EVERY_SECONDS:
                return
            self._shown_at = monotonic()
            with self.works.catalog.transaction() as session:
                held = self.hold(session)
                held.phase, held.done, held.lease_until = phase, rows, func.clock_timestamp() + LEASE

        return told


def take(works: Works, archive_id: UUID) -> Attempt:
    """Lease an archive. Raises Conflict when somebody else is working on it."""
    clock = func.clock_timestamp()
    free = or_(Archive.lease_until.is_(None), Archive.lease_until < clock)
    mine = update(Archive).where(Archive.id == archive_id, free)
    leased = mine.values(attempt=Archive.attempt + 1, lease_until=clock + LEASE).returning(Archive)
    with works.catalog.transaction() as session:
        archive = session.scalars(leased).one_or_none()
    if archive is None:
        raise Conflict("Somebody is working on this archive already.", code="archive_taken")
    return Attempt(works, archive)


def let_go(attempt: Attempt, error: str | None = None) -> None:
    """End the lease; `error` is shown to whoever asks what became of it."""
    mine = update(Archive).where(Archive.id == attempt.archive.id, Archive.attempt == attempt.archive.attempt)
    with attempt.works.catalog.transaction() as session:
        session.execute(mine.values(lease_until=None, error=error))
