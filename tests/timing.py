"""Whether one of two requests takes longer than the other: a sign test over interleaved pairs."""

import random
import time
from collections.abc import Callable

from tenants.foundation.afterwards import afterwards

PAIRS = 80
#: A fair coin falls outside of this once in some 10 000 runs of PAIRS.
FAIR = range(23, 58)
WARMING = 3


def took_longer(one: Callable[[], object], other: Callable[[], object]) -> int:
    """In how many of PAIRS pairs, in random order within each, `one` took longer than `other`."""
    longer = 0
    for number in range(PAIRS + WARMING):
        took: dict[bool, float] = {}
        for first in random.sample([True, False], 2):
            took[first] = _seconds(one if first else other)
        if number >= WARMING:  # the first few warm up connections and plans
            longer += took[True] > took[False]
    return longer


def _seconds(ask: Callable[[], object]) -> float:
    afterwards.settle()
    began = time.perf_counter()
    ask()
    return time.perf_counter() - began
