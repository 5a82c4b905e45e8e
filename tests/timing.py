"""Whether one of two requests, or what is asked right after it, takes longer: a sign test over interleaved pairs."""

import random
import time
from collections.abc import Callable
from math import sqrt

from tenants.foundation.afterwards import afterwards

PAIRS = 80
WARMING = 3
#: A fair coin falls further from the middle than so many standard deviations once in some 10 000 runs.
FAR = 3.9


def fair(pairs: int = PAIRS) -> range:
    """How often out of so many pairs either may take longer by chance."""
    off = int(FAR * sqrt(pairs) / 2)
    return range(pairs // 2 - off, pairs // 2 + off + 1)


def took_longer(
    one: Callable[[], object],
    other: Callable[[], object],
    pairs: int = PAIRS,
    *,
    following: Callable[[], object] | None = None,
) -> int:
    """In how many of so many pairs, in random order within each, `one` took longer than `other`.

    With `following`, how long that took after each of them: what they left to be done slows it down.
    """
    longer = 0
    for number in range(pairs + WARMING):
        took: dict[bool, float] = {}
        for first in random.sample([True, False], 2):
            took[first] = _seconds(one if first else other, following)
        if number >= WARMING:  # the first few warm up connections and plans
            longer += took[True] > took[False]
    return longer


def _seconds(ask: Callable[[], object], following: Callable[[], object] | None) -> float:
    afterwards.settle()
    if following is not None:
        ask()
        ask = following
    began = time.perf_counter()
    ask()
    return time.perf_counter() - began
