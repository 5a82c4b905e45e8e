"""Traces of exceptions for the log: what broke and where, and nothing that somebody may have entered."""

import traceback
from collections.abc import Iterator
from types import TracebackType

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]
#: What these say is written by programmers. What others say may quote a value: `Key (email)=(…) already exists`.
SPOKEN_BY_CODE = (AttributeError, ImportError, NameError, NotImplementedError, RuntimeError, TypeError)


def trace(exc_info: ExcInfo) -> str:
    """The exception, its causes before it, each with its frames; its own words only where they are code's."""
    return "\n".join(_told(exc_info[1]))


def _told(error: BaseException) -> Iterator[str]:
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _told(before)
        yield "then:"
    for frame in traceback.extract_tb(error.__traceback__):
        yield f"  {frame.filename}:{frame.lineno} in {frame.name}: {frame.line}"
    yield _name(error)


def _name(error: BaseException) -> str:
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    if isinstance(error, SPOKEN_BY_CODE):
        return f"{kind}: {error}"
    state = getattr(error, "sqlstate", None)
    constraint = getattr(getattr(error, "diag", None), "constraint_name", None)
    return " ".join(each for each in (kind, state, constraint) if each)
