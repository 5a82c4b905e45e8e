"""What the files of a bundle look like."""

from enum import StrEnum


class Format(StrEnum):
    """CSV for most, JSON Lines for programs that would rather not parse CSV; Parquet and SQLite to ask questions of."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"
    SQLITE = "sqlite"

    @property
    def restorable(self) -> bool:
        """Whether a tenant can be made of it again: its rows are read, checked and compared one by one."""
        return self in (Format.CSV, Format.JSONL)
