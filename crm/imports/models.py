"""Imports, the rows of their files, and what became of them."""

from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped

from tenants.foundation.tables import Base, DataClass, Owned, Purpose, Record, column, one_of


class Mode(StrEnum):
    """What may happen to a record: only new ones, only those that are there, or both."""

    CREATE = "create"
    UPDATE = "update"
    UPSERT = "upsert"


class Action(StrEnum):
    """What becomes of a row."""

    CREATE = "create"
    UPDATE = "update"
    SKIP = "skip"
    REJECT = "reject"


class Import(Record, Owned, Base):
    """A file that is being brought in: how its columns are read, and what came of its rows.

    `staged` is how many rows are in the staging table, and its batches are those that have had their effect: a job
    that was killed goes on from there. Whether it runs, failed or has ended is its job's to say.
    """

    __tablename__ = "imports"
    __table_args__ = (
        Index(None, "created_at", "id"),
        one_of("mode", Mode),
    )
    __purpose__ = Purpose.OPERATION

    resource: Mapped[str] = column(data=DataClass.TECHNICAL)
    mode: Mapped[str] = column(data=DataClass.TECHNICAL)
    match_on: Mapped[str | None] = column(data=DataClass.TECHNICAL)
    dry_run: Mapped[bool] = column(Boolean, data=DataClass.TECHNICAL)
    file_name: Mapped[str] = column(data=DataClass.FREE_TEXT)
    size: Mapped[int] = column(BigInteger, data=DataClass.TECHNICAL)
    encoding: Mapped[str] = column(data=DataClass.TECHNICAL)
    delimiter: Mapped[str] = column(data=DataClass.TECHNICAL)
    header: Mapped[list[str]] = column(ARRAY(Text), data=DataClass.BUSINESS)
    mapping: Mapped[dict[str, Any]] = column(JSONB, data=DataClass.BUSINESS)
    values: Mapped[dict[str, Any]] = column(JSONB, data=DataClass.BUSINESS)
    staged: Mapped[int] = column(Integer, data=DataClass.TECHNICAL, default=0)
    read: Mapped[bool] = column(Boolean, data=DataClass.TECHNICAL, default=False)
    rows: Mapped[int] = column(Integer, data=DataClass.TECHNICAL, default=0)
    job_id: Mapped[UUID | None] = column(data=DataClass.TECHNICAL)

    @property
    def file(self) -> str:
        """Where its file is stored."""
        return f"imports/{self.id}"


class ImportBatch(Base):
    """Rows of a file that have had their effect, and what came of them: written in the transaction of the effect.

    Its key keeps two attempts from applying the same rows, and several batches can be under way at once.
    """

    __tablename__ = "import_batches"
    __purpose__ = Purpose.OPERATION

    import_id: Mapped[UUID] = column(ForeignKey(Import.id), data=DataClass.TECHNICAL, primary_key=True)
    low: Mapped[int] = column(Integer, data=DataClass.TECHNICAL, primary_key=True, autoincrement=False)
    high: Mapped[int] = column(Integer, data=DataClass.TECHNICAL)
    created: Mapped[int] = column(Integer, data=DataClass.TECHNICAL, default=0)
    updated: Mapped[int] = column(Integer, data=DataClass.TECHNICAL, default=0)
    skipped: Mapped[int] = column(Integer, data=DataClass.TECHNICAL, default=0)
    rejected: Mapped[int] = column(Integer, data=DataClass.TECHNICAL, default=0)


class ImportRow(Base):
    """A row of a file: as it came, as it was read, and what became of it.

    It names its import without a foreign key: a check for every row would take longer than the row itself.
    `cells` is the row as it came, as JSON; cells of sealed fields are sealed in it. `fields` are the values that
    were read, in the order of the plan. Rows that refer to rows of the same file wait for a later `step`.
    `record_id` is the record that it makes, or the one that it changes.
    """

    __tablename__ = "import_rows"
    __purpose__ = Purpose.OPERATION
    __stays__ = (
        "Rows of files on their way in, partly sealed for this place. What they became is in its own tables."
    )

    import_id: Mapped[UUID] = column(data=DataClass.TECHNICAL, primary_key=True)
    number: Mapped[int] = column(Integer, data=DataClass.TECHNICAL, primary_key=True, autoincrement=False)
    step: Mapped[int] = column(Integer, data=DataClass.TECHNICAL)
    action: Mapped[str] = column(data=DataClass.TECHNICAL)
    record_id: Mapped[UUID] = column(data=DataClass.TECHNICAL)
    cells: Mapped[str] = column(data=DataClass.FREE_TEXT)
    fields: Mapped[list[Any]] = column(JSONB, data=DataClass.FREE_TEXT)
    reasons: Mapped[list[str] | None] = column(ARRAY(Text), data=DataClass.FREE_TEXT)
