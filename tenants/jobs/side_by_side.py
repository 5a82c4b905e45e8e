"""Steps of one job that run side by side, each on a connection of its own."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")


def side_by_side(work: Callable[[T], None], items: Iterable[T], *, at_once: int) -> None:
    """Do the work for each item, for several at once; every item opens its own `step`.

    What has begun when one fails goes on to its end, the rest is left; then the first failure is raised.
    """
    with ThreadPoolExecutor(at_once, "side-by-side") as threads:
        under_way = [threads.submit(copy_context().run, work, each) for each in items]
        try:
            for each in as_completed(under_way):
                each.result()
        except BaseException:
            for each in under_way:
                each.cancel()
            raise
