"""Bundles that were asked for: what they became, and how long they are kept."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict
from tenants.foundation.tables import Base, DataClass, Identified, Owned, Purpose, Record, column, one_of
from tenants.portability.formats import Format


class ExportPurpose(StrEnum):
    """Why a copy of the data leaves."""

    OWN_COPY = "own_copy"
    SWITCHING = "switching"
    SHARING = "sharing"
    AUTHORITY = "authority"


class Export(Record, Owned, Base):
    """A bundle of everything that the tenant has, or of chosen resources.

    Whether it is being made or has failed is its job's to say.
    `size` and `sha256` are those of the file that is downloaded, encrypted when there are recipients to encrypt to;
    where it is kept, it is sealed besides.
    """

    __tablename__ = "exports"
    __table_args__ = (
        Index(None, "created_at", "id"),
        one_of("format", Format),
        one_of("purpose", ExportPurpose),
    )
    __purpose__ = Purpose.PORTABILITY
    __audited__ = True
    __unruled__ = "It has an end of its own, when its file goes."
    __stays__ = "Files that were made here. The audit log says who made and who took them."

    format: Mapped[str] = column(data=DataClass.TECHNICAL)
    resources: Mapped[list[dict[str, Any]] | None] = column(
        JSONB(none_as_null=True), data=DataClass.FREE_TEXT
    )
    encrypt_to: Mapped[list[str] | None] = column(JSONB(none_as_null=True), data=DataClass.TECHNICAL)
    purpose: Mapped[str] = column(
        data=DataClass.BUSINESS, default=ExportPurpose.OWN_COPY, server_default=ExportPurpose.OWN_COPY
    )
    recipient: Mapped[str | None] = column(data=DataClass.IDENTITY)
    note: Mapped[str | None] = column(data=DataClass.FREE_TEXT)
    job_id: Mapped[UUID | None] = column(data=DataClass.TECHNICAL)
    file: Mapped[str | None] = column(data=DataClass.TECHNICAL)
    size: Mapped[int | None] = column(BigInteger, data=DataClass.TECHNICAL)
    sha256: Mapped[str | None] = column(data=DataClass.TECHNICAL)
    counts: Mapped[dict[str, Any] | None] = column(JSONB(none_as_null=True), data=DataClass.TECHNICAL)
    snapshot_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    finished_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    expires_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL, index=True)

    def expire(self) -> str | None:
        """Let go of the file; its name, so that it can be removed once this is committed."""
        file, self.file = self.file, None
        return file

    @property
    def file_name(self) -> str:
        """What it is called where it is downloaded to."""
        return f"export-{self.id}.zip{'.age' if self.encrypt_to else ''}"

    def downloadable(self) -> str:
        """The name of its file. Raises Conflict when there is none yet, or none any more."""
        if self.finished_at is None or self.expires_at is None:
            raise Conflict("This export is not ready yet.", code="export_not_ready")
        if self.file is None or self.expires_at <= now():
            raise Conflict("This export has expired. Ask for a new one.", code="export_expired")
        return self.file


class Arrival(Identified, Base):
    """Where this tenant came from, when it was brought in from a bundle."""

    __tablename__ = "arrivals"
    __purpose__ = Purpose.PORTABILITY
    __rights__ = "select, insert"
    __stays__ = "Tells where this copy came from, which is no part of what it holds."

    at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    bundle_sha256: Mapped[str] = column(data=DataClass.TECHNICAL)
    from_tenant: Mapped[str] = column(data=DataClass.TECHNICAL)
    from_slug: Mapped[str] = column(data=DataClass.BUSINESS)
    snapshot_at: Mapped[str] = column(data=DataClass.TECHNICAL)
