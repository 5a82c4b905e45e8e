"""The words of a record, as PostgreSQL indexes them."""

from typing import Any

from sqlalchemy import Computed, Index
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped

from tenants.foundation.tables import DataClass, column


def words_of(*columns: str) -> Mapped[Any]:
    """A generated column with the words of these columns; addresses fall apart at their punctuation."""
    joined = " || ' ' || ".join(f"coalesce({name}, '')" for name in columns)
    expression = f"to_tsvector('simple'::regconfig, translate({joined}, '@.-_/', '     '))"
    return column(TSVECTOR, Computed(expression, persisted=True), data=DataClass.IDENTITY, deferred=True)


def words_index(table: str) -> Index:
    return Index(f"{table}_words_idx", "words", postgresql_using="gin")
