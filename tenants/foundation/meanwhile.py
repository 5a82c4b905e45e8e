"""Something small that is done again and again beside a block, by a thread that ends with it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from time import monotonic


@contextmanager
def meanwhile(act: Callable[[], None], *, every_seconds: float, for_seconds: float = inf) -> Iterator[None]:
    """Do it every so often while the block lasts, however long the block is silent, and for so long at most.

    It ends soon after this process does. What it raises ends it: whoever gives it says what is foreseen.
    """
    over, began = threading.Event(), monotonic()

    def repeat() -> None:
        while not over.wait(every_seconds) and monotonic() - began < for_seconds:
            act()

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
