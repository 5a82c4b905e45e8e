"""Work that reads one stream and writes another, turned into a generator: pieces in, pieces out, little in between."""

import io
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import closing

#: Pieces that may wait for the work; more would only take memory.
WAITING = 2


Work = Callable[[io.RawIOBase, io.RawIOBase], None]


class Abandoned(Exception):
    """Nobody wants the rest: the work is to stop."""


def through(work: Work, pieces: Generator[bytes, None, None]) -> Generator[bytes, None, None]:
    """What `work` writes while it reads the pieces.

    It runs in a thread, while the pieces are made where the generator is driven: the database is there. What it raises
    is raised here.
    """
    pipe = _Pipe()
    thread = threading.Thread(target=pipe.run, args=(work,), daemon=True)
    thread.start()
    try:
        with closing(pieces):
            for piece in pieces:
                pipe.give(piece)
                yield from pipe.taken()
        pipe.give(b"")
        thread.join()
        pipe.complain()
        yield from pipe.taken()
    finally:
        pipe.abandon()
        thread.join()


class _Pipe(io.RawIOBase):
    """What is read and what was written; an empty piece is the end."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._pieces: deque[bytes] = deque()
        self._written: deque[bytes] = deque()
        self._rest = memoryview(b"")
        self._over = self._abandoned = self._ended = False
        self._error: Exception | None = None

    def run(self, work: Work) -> None:
        try:
            work(self, self)
        except Exception as error:  # noqa: BLE001 - raised again where the pieces come from
            self._error = error
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def give(self, piece: bytes) -> None:
        with self._changed:
            self._changed.wait_for(lambda: len(self._pieces) < WAITING or self._over)
            self.complain()
            self._pieces.append(piece)
            self._changed.notify_all()

    def taken(self) -> Iterator[bytes]:
        """Everything that was written since the last call."""
        while self._written:
            yield self._written.popleft()

    def complain(self) -> None:
        if self._error is not None:
            raise self._error

    def abandon(self) -> None:
        with self._changed:
            self._abandoned = True
            self._changed.notify_all()

    def read(self, size: int = -1, /) -> bytes:
        if not self._rest and not self._ended:
            self._rest = memoryview(self._next())
            self._ended = not self._rest
        size = len(self._rest) if size < 0 else size
        found, self._rest = self._rest[:size], self._rest[size:]
        return bytes(found)

    def _next(self) -> bytes:
        with self._changed:
            self._changed.wait_for(lambda: bool(self._pieces) or self._abandoned)
            if self._abandoned:
                raise Abandoned
            piece = self._pieces.popleft()
            self._changed.notify_all()
            return piece

    def write(self, content: bytes, /) -> int:  # type: ignore[override]
        self._written.append(bytes(content))
        return len(content)
