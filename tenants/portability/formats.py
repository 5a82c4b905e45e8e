"""What the files of a bundle look like."""

from enum import StrEnum


class Format(StrEnum):
    """CSV for most, JSON Lines for programs that would rather not parse CSV."""

    CSV = "csv"
    JSONL = "jsonl"
