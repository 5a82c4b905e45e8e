"""How much of a matrix a run goes through: a slice of everything in `make test`, all of it in `make soak`."""

from collections.abc import Iterable
from typing import TypeVar

import pytest

T = TypeVar("T")
both = pytest.mark.parametrize(
    "every", [pytest.param(False, id="some"), pytest.param(True, id="every", marks=pytest.mark.soak)]
)


def some_of(things: Iterable[T], *, every: bool, first: int) -> list[T]:
    """All of them, or only the first few: so order them by how much they tell."""
    listed = list(things)
    return listed if every else listed[:first]
