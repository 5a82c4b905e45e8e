"""Keeps programs running: one that ends is started again, each time a little later, until it stays."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from tenants.foundation.children import Child

SHORTEST_WAIT = 0.5
LONGEST_WAIT = 30.0
#: Whoever ran this long is taken for well again.
WELL_AFTER = 60.0


@dataclass
class _Watched:
    child: Child
    started_at: float
    falls: int = 0
    start_again_at: float | None = None


class Supervisor:
    """Programs in the order they were started; they are stopped the other way round."""

    def __init__(self, tell: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._clock = clock
        self._watched: list[_Watched] = []

    def start(self, child: Child) -> None:
        child.start()
        self._watched.append(_Watched(child, self._clock()))

    def tend(self) -> None:
        """Look after everyone once; call it a few times a second."""
        for each in self._watched:
            if each.start_again_at is not None:
                self._start_again_when_due(each)
            elif not each.child.is_running:
                self._plan_restart(each)

    def stop(self, patience: float = 30) -> None:
        """Stop everyone, last started first, one after the other."""
        while self._watched:
            self._watched.pop().child.stop(patience)

    def _plan_restart(self, fallen: _Watched) -> None:
        was_well = self._clock() - fallen.started_at > WELL_AFTER
        if was_well and fallen.child.exit_status == 0:
            # It asked to be renewed, as our workers do after some thousand jobs.
            fallen.falls, fallen.start_again_at = 0, self._clock()
            return
        fallen.falls = 1 if was_well else fallen.falls + 1
        wait = min(SHORTEST_WAIT * 2 ** (fallen.falls - 1), LONGEST_WAIT)
        fallen.start_again_at = self._clock() + wait
        words = fallen.child.last_words()
        self._tell(
            f"{fallen.child.name} ended with status {fallen.child.exit_status}"
            f"{f' ({words})' if words else ''}; it starts again in {wait:.1f} s."
        )

    def _start_again_when_due(self, fallen: _Watched) -> None:
        if fallen.start_again_at is None or self._clock() < fallen.start_again_at:
            return
        fallen.child.kill()
        fallen.child.start()
        fallen.started_at, fallen.start_again_at = self._clock(), None
