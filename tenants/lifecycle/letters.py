"""What letters to the admins of a tenant have in common: their parts, and how moments are said in them."""

from datetime import datetime

#: A subject and a text.
Letter = tuple[str, str]


def minute(at: datetime) -> str:
    """A moment as people read it, to the minute."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def second(at: datetime) -> str:
    """Likewise, to the second."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
