"""Work that yields: it has the processor while nobody else wants it."""

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")
#: The lowest of Unix priorities; the usual one is 0.
LAST = 19
#: Whoever is so much higher gets seventy times as much of a processor that both want.
STEPS = 19


def yielding(work: Callable[[], T]) -> T:
    """Do the work in a thread far below this one's priority, and wait for it; what it raises is raised here.

    Nobody but an administrator can raise a priority again, so it is that of a thread, which ends with the work. Threads
    that it starts have it too. Linux gives each thread its own; elsewhere the work is done as any other.
    """
    if sys.platform != "linux":
        return work()
    with ThreadPoolExecutor(1, "yielding", initializer=_step_back) as thread:
        return thread.submit(copy_context().run, work).result()


def _step_back() -> None:
    thread = threading.get_native_id()
    before = os.getpriority(os.PRIO_PROCESS, thread)
    os.setpriority(os.PRIO_PROCESS, thread, min(LAST, before + STEPS))
