"""Work that yields has the lowest priority, and only while it lasts."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

import pytest

from tenants.foundation.yielding import LAST, yielding

whose: ContextVar[str] = ContextVar("whose")


def priority() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_the_work_and_what_it_starts_come_last_and_nobody_else_does() -> None:
    before = priority()
    last = LAST if sys.platform == "linux" else before  # elsewhere threads have no priority of their own

    def work() -> tuple[int, int]:
        with ThreadPoolExecutor(1) as thread:
            return priority(), thread.submit(priority).result()

    assert yielding(work) == (last, last)
    assert priority() == before


def test_the_work_is_done_where_it_was_asked_for() -> None:
    whose.set("acme's")
    assert yielding(whose.get) == "acme's"


def test_what_it_raises_is_raised_here() -> None:
    def work() -> None:
        raise ZeroDivisionError("on the way")

    with pytest.raises(ZeroDivisionError, match="on the way"):
        yielding(work)
