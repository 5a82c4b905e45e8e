"""Bundles that were asked for: what they became, and how long they are kept."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict, NotAllowed
from tenants.foundation.tables import (
    Base,
    DataClass,
    Identified,
    Owned,
    Purpose,
    Record,
    Source,
    column,
    one_of,
)
from tenants.portability.formats import Format

APPROVE_WITHIN = timedelta(days=7)
#: So long a download that was begun in time may go on.
UNDER_WAY = timedelta(hours=6)


class ExportPurpose(StrEnum):
    """Why a copy of the data leaves."""

    OWN_COPY = "own_copy"
    SWITCHING = "switching"
    SHARING = "sharing"
    AUTHORITY = "authority"


class Approval(StrEnum):
    """Where an export stands that needs a second person's word."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"


class Export(Record, Owned, Base):
    """A bundle of everything that the tenant has, or of chosen resources.

    Whether it is being made or has failed is its job's to say.
    `size` and `sha256` are those of the file that is downloaded, encrypted when there are recipients to encrypt to;
    where it is kept, it is sealed besides. Its beginning may be kept apart, in `parcels`. One that is for a bucket lies
    in `parcels` as a whole until it is there; `upload_id` is the bucket's name for what has arrived meanwhile.
    """

    __tablename__ = "exports"
    __table_args__ = (
        Index(None, "created_at", "id"),
        one_of("format", Format),
        one_of("purpose", ExportPurpose),
        one_of("approval", Approval),
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
    approval: Mapped[str | None] = column(data=DataClass.TECHNICAL)
    approve_by: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    decided_by_id: Mapped[UUID | None] = column(data=DataClass.TECHNICAL)
    decided_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    decision_note: Mapped[str | None] = column(data=DataClass.FREE_TEXT)
    downloads_left: Mapped[int | None] = column(Integer, data=DataClass.TECHNICAL)
    schedule_id: Mapped[UUID | None] = column(
        ForeignKey("export_schedules.id"), data=DataClass.TECHNICAL, index=True
    )
    in_bucket: Mapped[bool] = column(data=DataClass.TECHNICAL, default=False, server_default="false")
    job_id: Mapped[UUID | None] = column(data=DataClass.TECHNICAL)
    file: Mapped[str | None] = column(data=DataClass.TECHNICAL)
    parcels: Mapped[list[str] | None] = column(JSONB(none_as_null=True), data=DataClass.TECHNICAL)
    upload_id: Mapped[str | None] = column(data=DataClass.TECHNICAL)
    size: Mapped[int | None] = column(BigInteger, data=DataClass.TECHNICAL)
    sha256: Mapped[str | None] = column(data=DataClass.TECHNICAL)
    counts: Mapped[dict[str, Any] | None] = column(JSONB(none_as_null=True), data=DataClass.TECHNICAL)
    snapshot_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    finished_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    expires_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL, index=True)

    @property
    def stored(self) -> list[str]:
        """What it consists of where it is kept, in this order: parcels of files, if there are any, and the rest."""
        return [*(self.parcels or ()), *([self.file] if self.file else ())]

    def can_go(self, at: datetime) -> bool:
        """Whether its file can be removed. Who downloads one in parcels opens them one by one, and ends first."""
        wait = UNDER_WAY if self.parcels else timedelta()
        return self.expires_at is not None and self.expires_at + wait <= at

    @property
    def awaits_upload(self) -> list[str]:
        """The names of what lies with us of a copy that is made and on its way to a bucket; the last has its rows."""
        return list(self.parcels or ()) if self.in_bucket else []

    def expire(self) -> list[str]:
        """Let go of the file; the names of what it consists of, to be removed once this is committed."""
        gone, self.file, self.parcels = self.stored, None, None
        return gone

    def wait_for_approval(self) -> None:
        """Nothing of it is made before somebody else has said yes."""
        self.approval, self.approve_by = Approval.WAITING, now() + APPROVE_WITHIN

    def decide(self, by: UUID | None, *, approved: bool, note: str | None) -> None:
        """Somebody's word on it. Raises Conflict when none is asked for any more, NotAllowed for who asked for it."""
        if self.approval != Approval.WAITING or self.approve_by is None:
            raise Conflict("This export does not wait for anybody's word.", code="not_waiting")
        if self.approve_by <= now():
            raise Conflict("Nobody approved this export in time. Ask for a new one.", code="export_expired")
        if by is None or by == self.owner_id:
            raise NotAllowed("Somebody else has to approve what you asked for.", code="own_request")
        self.approval = Approval.APPROVED if approved else Approval.REFUSED
        self.decided_by_id, self.decided_at, self.decision_note = by, now(), note

    def take_one(self) -> None:
        """One download less, where they are counted; one that breaks off counts too."""
        if self.downloads_left is None:
            return
        self.downloads_left -= 1
        if not self.downloads_left:
            self.expires_at = now()

    @property
    def file_name(self) -> str:
        """What it is called where it is downloaded to."""
        return f"export-{self.id}.zip{'.age' if self.encrypt_to else ''}"

    def downloadable(self) -> list[str]:
        """The names of what its file consists of, in order. Raises Conflict when there is none yet, or none any more."""
        if self.finished_at is None:
            raise Conflict("This export is not ready yet.", code="export_not_ready")
        if self.in_bucket:
            raise Conflict("This export is in your own bucket, and not with us.", code="export_elsewhere")
        if self.downloads_left == 0:
            raise Conflict("This export was downloaded as often as it may be.", code="export_used_up")
        if self.file is None or (self.expires_at is not None and self.expires_at <= now()):
            raise Conflict("This export has expired. Ask for a new one.", code="export_expired")
        return self.stored


class ExportSchedule(Record, Owned, Base):
    """A copy of everything, or of chosen resources, again and again: to our storage or to the tenant's own bucket.

    When it runs is a row of `schedules`; it runs in its owner's name, with the rights that they have then. `keep` is the
    number of copies; older ones are removed. Without `bucket` (name, region, endpoint, prefix) copies stay with us.
    `planned_at` says since when it goes by this line and zone, if that is not since it was set up.
    """

    __tablename__ = "export_schedules"
    __resource__ = "export-schedules"
    __table_args__ = (one_of("format", Format), one_of("purpose", ExportPurpose))
    __purpose__ = Purpose.PORTABILITY
    __audited__ = True
    __unruled__ = "It is there until somebody ends it."

    name: Mapped[str] = column(data=DataClass.BUSINESS)
    cron: Mapped[str] = column(data=DataClass.TECHNICAL)
    zone: Mapped[str] = column(data=DataClass.TECHNICAL, default="UTC")
    format: Mapped[str] = column(data=DataClass.TECHNICAL)
    resources: Mapped[list[dict[str, Any]] | None] = column(
        JSONB(none_as_null=True), data=DataClass.FREE_TEXT
    )
    encrypt_to: Mapped[list[str] | None] = column(JSONB(none_as_null=True), data=DataClass.TECHNICAL)
    purpose: Mapped[str] = column(data=DataClass.BUSINESS, default=ExportPurpose.OWN_COPY)
    recipient: Mapped[str | None] = column(data=DataClass.IDENTITY)
    note: Mapped[str | None] = column(data=DataClass.FREE_TEXT)
    keep: Mapped[int] = column(Integer, data=DataClass.TECHNICAL, default=7)
    bucket: Mapped[dict[str, Any] | None] = column(JSONB(none_as_null=True), data=DataClass.BUSINESS)
    access_key_id: Mapped[str | None] = column(data=DataClass.CREDENTIAL)
    secret: Mapped[Any] = column(LargeBinary, data=DataClass.CREDENTIAL, sealed=True, nullable=True)
    planned_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    last_succeeded_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    alerted_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)

    def copy(self, job_id: UUID) -> Export:
        """The next copy, which this job makes."""
        said = ("format", "resources", "encrypt_to", "purpose", "recipient", "note", "owner_id", "team_id")
        return Export(
            schedule_id=self.id,
            in_bucket=self.bucket is not None,
            job_id=job_id,
            source=Source.SYSTEM,
            **{name: getattr(self, name) for name in said},
        )

    def plan_anew(self) -> None:
        """It goes by another line or zone from now on: no moment of these is owed from before."""
        self.planned_at = now()

    def succeeded(self) -> None:
        """A copy was made and read back: whatever was wrong before is over."""
        self.last_succeeded_at, self.alerted_at = now(), None


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
