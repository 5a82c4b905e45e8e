"""Where a page ended, as an opaque text that fits the same list with the same filters and sort, and no other."""

import base64
import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from tenants.foundation.errors import Invalid


def fingerprint_of(*parts: Any) -> str:
    """Short and the same for the same question, so that a cursor can carry it."""
    return sha256(repr(parts).encode()).hexdigest()[:16]


def write_cursor(fingerprint: str, keys: Sequence[Any]) -> str:
    """The cursor behind a row with these values of the sort's keys, as texts or None."""
    keys = [fingerprint, *keys]
    return base64.urlsafe_b64encode(json.dumps(keys).encode()).decode().rstrip("=")


def read_cursor(
    text: str | None, fingerprint: str, keys: int
) -> tuple[tuple[bool, ...] | None, dict[str, Any]]:
    """Which keys are null, and the parameters. A cursor of another list, filter or sort is refused with Invalid."""
    if text is None:
        return None, {}
    try:
        read = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        mark, *values = read
        fits = (
            mark == fingerprint
            and len(values) == keys
            and all(each is None or isinstance(each, str) for each in values)
        )
        "".join(filter(None, values)).encode()  # half of a surrogate pair is no text
    except (ValueError, TypeError, RecursionError):
        fits = False
    if not fits:
        raise Invalid(
            errors={"cursor": ["This cursor is not of this list with these filters and this sort."]}
        )
    return tuple(each is None for each in values), {
        f"after_{number}": each for number, each in enumerate(values)
    }
