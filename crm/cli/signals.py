"""Ctrl-C and SIGTERM end `up` in good order, at the next moment when nothing is half done."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
TURN = 0.25


class Stopped(Exception):
    """Somebody asked us to stop; whatever is open closes on the way out."""


class Ending:
    """Whether we were asked to end. A flag, and not an exception out of a handler, which could strike anywhere."""

    def __init__(self) -> None:
        self.is_asked_for = False

    def ask(self, *_signal: object) -> None:
        self.is_asked_for = True

    def check(self, *_progress: object) -> None:
        if self.is_asked_for:
            raise Stopped

    def pause(self, seconds: float = TURN) -> None:
        time.sleep(seconds)
        self.check()


@contextmanager
def until_stopped() -> Iterator[Ending]:
    """Run the block until it ends or is asked to; its closing is not disturbed by further signals."""
    ending = Ending()
    before = {number: signal.signal(number, ending.ask) for number in SIGNALS}
    try:
        yield ending
    except Stopped:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
