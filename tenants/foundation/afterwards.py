"""Small work that an answer does not wait for, and whose length it must not tell: done in order by one thread."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore, Lock

import structlog

log = structlog.get_logger(__name__)
MOST_WAITING = 2000
PATIENCE_SECONDS = 1.0


class Afterwards:
    """Does what it is given, soon and one after the other. A process that ends finishes what it was given."""

    _thread: ThreadPoolExecutor | None

    def __init__(self) -> None:
        self._start_empty()
        os.register_at_fork(after_in_child=self._start_empty)

    def do(self, work: Callable[[], None]) -> None:
        """Do this soon. When there is far too much to do it is dropped, and the log says so."""
        if not self._places.acquire(timeout=PATIENCE_SECONDS):
            log.error("afterwards_dropped", work=getattr(work, "__qualname__", repr(work)))
            return
        with self._lock:
            if self._thread is None:
                self._thread = ThreadPoolExecutor(1, thread_name_prefix="afterwards")
            self._thread.submit(self._done, work)

    def settle(self) -> None:
        """Wait until all that was given so far is done."""
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.submit(lambda: None).result()

    def _done(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            log.exception("afterwards_failed", error=type(error).__name__)
        finally:
            self._places.release()

    def _start_empty(self) -> None:
        self._lock = Lock()
        self._places = BoundedSemaphore(MOST_WAITING)
        self._thread = None


afterwards = Afterwards()
