"""Ends a conversation that goes on for ever, one byte at a time: a socket's own timeout starts anew with each."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Timer


@contextmanager
def cut_off_after(seconds: float, wire: Callable[[], socket.socket | None]) -> Iterator[Event]:
    """Shut the socket that `wire` gives at that moment down, from both sides; the event says whether it was.

    What reads or writes it meets its end at once.
    """
    cut_off = Event()

    def cut() -> None:
        cut_off.set()
        open_wire = wire()
        if open_wire is not None:
            with suppress(OSError):  # it may have ended by itself at this very moment
                # Not the method of the TLS socket, which another thread must not call while one reads.
                socket.socket.shutdown(open_wire, socket.SHUT_RDWR)

    timer = Timer(max(seconds, 0), cut)
    timer.daemon = True
    timer.start()
    try:
        yield cut_off
    finally:
        timer.cancel()
