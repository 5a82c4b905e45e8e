"""How many requests are worked on at a time: whoever is slow to send waits elsewhere, and not with many at once."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from threading import BoundedSemaphore, Lock
from typing import Any

from tenants.foundation.errors import Unavailable
from tenants.http.bodies import FORM

#: Bytes of a body that are taken in before its request asks for a slot: nearly all bodies are this short.
SHORT = 64 * 1024


class Slots:
    """A WSGI application that lets `slots` requests at once into another one.

    The server has a thread for every request, many more than there are slots: a thread that waits for bytes costs
    little. So that nobody has them all, at most `waiting_each` senders of one address are waited for.
    """

    def __init__(self, serve: Callable[..., Any], slots: int, *, waiting_each: int) -> None:
        self._serve = serve
        self._free = BoundedSemaphore(slots)
        self._most = waiting_each
        self._waiting: Counter[str] = Counter()
        self._lock = Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        body = Body(environ["wsgi.input"], self, environ.get("REMOTE_ADDR", ""))
        environ["wsgi.input"] = body
        if not environ.get("CONTENT_TYPE", "").startswith(FORM):  # read when their sender was recognised
            body.take_in(environ.get("CONTENT_LENGTH", ""))
        with self._free:
            return self._serve(environ, start_response)

    @contextmanager
    def waiting(self, sender: str) -> Iterator[None]:
        """While bytes of this sender are waited for. Raises Unavailable when too many of theirs are already."""
        with self._lock:
            if self._waiting[sender] >= self._most:
                raise Unavailable(
                    "Too many requests from your address are still being sent. Finish some first."
                )
            self._waiting[sender] += 1
        try:
            yield
        finally:
            with self._lock:
                self._waiting[sender] -= 1
                if not self._waiting[sender]:
                    del self._waiting[sender]

    @contextmanager
    def left(self) -> Iterator[None]:
        """While a request that has a slot can do without."""
        self._free.release()
        try:
            yield
        finally:
            self._free.acquire()


class Body:
    """What a request sends, as `wsgi.input` (PEP 3333): whoever reads it has no slot until the bytes are there.

    Reading raises Unavailable when too much of the same sender is waited for.
    """

    __slots__ = ("_sender", "_slots", "_stream", "_there")

    def __init__(self, stream: Any, slots: Slots, sender: str) -> None:
        self._stream, self._slots, self._sender = stream, slots, sender
        self._there = False

    def take_in(self, length: str) -> None:
        """Wait for all of a short body, before there is a slot. Where that can't be, whoever reads it is told."""
        if length.isdecimal() and len(length) <= len(str(SHORT)) and 0 < int(length) <= SHORT:
            with suppress(Unavailable, OSError), self._slots.waiting(self._sender):
                self._stream = BytesIO(self._stream.read(int(length)))
                self._there = True

    def read(self, size: int = -1) -> bytes:
        return bytes(self._waited_for(self._stream.read, size))

    def readline(self, size: int = -1) -> bytes:
        return bytes(self._waited_for(self._stream.readline, size))

    def readlines(self, hint: int = -1) -> list[bytes]:
        return list(self._waited_for(self._stream.readlines, hint))

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _waited_for(self, reading: Callable[[int], Any], size: int) -> Any:
        if self._there:
            return reading(size)
        with self._slots.waiting(self._sender), self._slots.left():
            return reading(size)
