"""The words of a record, as PostgreSQL indexes them."""

from typing import Any

from sqlalchemy import Computed, Index
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped

from tenants.foundation.tables import DataClass, column
from tenants.foundation.words import Words


def words_of(*columns: str) -> Mapped[Any]:
    """A generated column with the words of these columns."""
    words = Words(columns)
    made = Computed(words.expression, persisted=True)
    return column(TSVECTOR, made, data=DataClass.IDENTITY, deferred=True, info={"words": words})


def words_index(table: str) -> Index:
    return Index(f"{table}_words_idx", "words", postgresql_using="gin")
