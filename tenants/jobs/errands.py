"""Errands: what a stranger's request has done is written down, as much for nobody as for somebody, and done elsewhere.

Whoever asks about an address can time the answer, and whatever the same process answers next. So the web process writes
rows whoever it is about, and the scheduler, which answers nobody, does what there is to do.
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import delete, func, insert, select, update

from tenants.catalog.registry import Catalog
from tenants.foundation.clock import now
from tenants.foundation.encryption import Context, DataKey, seal, unseal
from tenants.foundation.errors import Refusal, Unavailable
from tenants.foundation.identifiers import new_id
from tenants.foundation.tables import Purpose
from tenants.isolation.keys import KeyWrapper
from tenants.jobs.looking import keep_looking
from tenants.jobs.models import Errand

log = structlog.get_logger(__name__)
#: Whoever took an errand has so long; then somebody else does it. What failed is tried again after the same time.
AGAIN = timedelta(minutes=1)
LASTS = timedelta(days=1)
#: Strangers fill no table: when so many wait, who asks is told to come back.
MOST_WAITING = 10_000
#: Errands belong to no tenant.
NOBODYS = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Asked:
    """An errand under way. Its id stays the same however often it is tried."""

    id: UUID
    said: Mapping[str, Any]
    catalog: Catalog
    wrapper: KeyWrapper


@dataclass(frozen=True, slots=True)
class Declared:
    """What is done for one kind of errand, and why."""

    function: Callable[[Asked], object]
    purpose: Purpose


_declared: dict[str, Declared] = {}


def errand(
    kind: str, *, purpose: Purpose
) -> Callable[[Callable[[Asked], object]], Callable[[Asked], object]]:
    """Declare what is done for a kind of errand. It may be done twice when a process dies between doing and noting it.

    Raises ValueError when the kind is taken.
    """

    def declare(function: Callable[[Asked], object]) -> Callable[[Asked], object]:
        if kind in _declared:
            raise ValueError(f"The errand '{kind}' is declared twice.")
        _declared[kind] = Declared(function, purpose)
        return function

    return declare


class Errands:
    """The errands of this installation: planted by whoever answers strangers, done by whoever doesn't."""

    def __init__(self, catalog: Catalog, wrapper: KeyWrapper) -> None:
        self._catalog, self._wrapper = catalog, wrapper

    def plant(self, kind: str, *said: Mapping[str, Any]) -> None:
        """Write down what is to be done, one errand for each; for nobody one as well, with nothing to do.

        Committed when this returns. Raises Unavailable when far too many wait.
        """
        rows = [self._row(kind, each) for each in said or ({},)]
        waiting = select(func.count()).select_from(select(Errand.id).limit(MOST_WAITING).subquery())
        with self._catalog.transaction() as session:
            if (session.scalar(waiting) or 0) >= MOST_WAITING:
                log.error("errands_full", kind=kind)
                raise Unavailable("Too much of this is waiting to be done. Try again in a minute.")
            session.execute(insert(Errand), rows)

    def run(self, stop: threading.Event) -> None:
        """Do errands until told to stop; without the catalog, try again a little later."""
        keep_looking(self.do_due, stop, told="errands_wait")

    def do_due(self) -> int:
        """Do every errand that is due now; how many there were. Any number of processes may, side by side."""
        done = 0
        while (taken := self._take()) is not None:
            if self._is_over(taken):
                with self._catalog.transaction() as session:
                    session.execute(delete(Errand).where(Errand.id == taken.id))
            done += 1
        return done

    def _row(self, kind: str, said: Mapping[str, Any]) -> dict[str, Any]:
        errand_id = new_id()
        sealed = seal(self._key(), json.dumps(said).encode(), _place(errand_id))
        return {"id": errand_id, "kind": kind, "sealed": sealed, "created_at": now(), "due_at": now()}

    def _take(self) -> Errand | None:
        due = (
            select(Errand.id)
            .where(Errand.due_at <= now())
            .order_by(Errand.due_at)
            .limit(1)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        mine = update(Errand).where(Errand.id == due).values(due_at=now() + AGAIN).returning(Errand)
        with self._catalog.transaction() as session:
            return session.scalars(mine).one_or_none()

    def _is_over(self, taken: Errand) -> bool:
        """Do one. Whether it is done, or will never be; a tenant that stands still keeps no other's waiting."""
        try:
            self._do(taken)
        except Unavailable as refusal:
            log.warning("errand_waits", kind=taken.kind, reason=refusal.detail)
        except Refusal as refusal:
            log.warning("errand_refused", kind=taken.kind, reason=refusal.detail)
            return True
        except Exception:
            # Whatever one raises must end neither the others nor the scheduler: it is on record here and tried again.
            log.exception("errand_broke", kind=taken.kind)
        else:
            return True
        return self._given_up(taken, now())

    def _do(self, taken: Errand) -> None:
        said = json.loads(unseal(self._key(), taken.sealed, _place(taken.id)))
        if not said:
            return
        if taken.kind not in _declared:
            raise Unavailable(f"This version of the program knows no errand '{taken.kind}'.")
        _declared[taken.kind].function(Asked(taken.id, said, self._catalog, self._wrapper))

    def _given_up(self, taken: Errand, moment: datetime) -> bool:
        too_old = moment - taken.created_at > LASTS
        if too_old:
            log.error("errand_given_up", kind=taken.kind)
        return too_old

    def _key(self) -> DataKey:
        """Follows from the secret of the look-ups, which every process of the house has and no database."""
        return DataKey(1, self._wrapper.hashed("values", "errands"))


def _place(errand_id: UUID) -> Context:
    return Context(NOBODYS, Errand.__tablename__, "sealed", errand_id)
