"""A second tenant's door, in a thread of its own: a thread is inside one tenant at a time."""

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")


class Beside:
    """What is done inside another tenant, while this thread is inside one of its own.

    `door` is `inside(home)` or the like; everything in the block is one transaction there.
    """

    def __init__(self, door: AbstractContextManager[Any]) -> None:
        self._door, self._thread = door, ThreadPoolExecutor(1, "beside")
        self._open: list[Generator[Any, None, None]] = []

    def __enter__(self) -> Self:
        try:
            self.do(self._door.__enter__)
        except BaseException:
            self._thread.shutdown()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            for each in self._open:
                self.do(each.close)
            self.do(self._door.__exit__, kind, error, trace)
        finally:
            self._thread.shutdown()

    def do(self, function: Callable[..., T], *given: Any) -> T:
        """What a function gives there."""
        return self.begin(function, *given).result()

    def begin(self, function: Callable[..., T], *given: Any) -> "Future[T]":
        """Have it done there meanwhile."""
        return self._thread.submit(function, *given)

    def each(self, function: Callable[..., Generator[T, None, None]], *given: Any) -> Iterator[T]:
        """What a generator there gives, one ahead: the next is fetched while this thread works on what it has."""
        found = self.do(function, *given)
        self._open.append(found)  # what nobody reads to its end would hold up the end of the transaction
        ahead = self.begin(next, found, None)
        while (one := ahead.result()) is not None:
            ahead = self.begin(next, found, None)
            yield one
        self._open.remove(found)
