"""Whoever works on a bundle tells how far they are, table by table."""

from collections.abc import Callable

#: Hears the name of a table, and how many rows of all tables are done so far; of attached files, how many files.
Told = Callable[[str, int], None]


def to_nobody(_table: str, _rows: int) -> None:
    """Where nobody listens."""
