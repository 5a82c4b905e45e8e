"""A tenant that is put away as one sealed bundle, and comes back from it; and the links that wake it."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from tenants.catalog.models import CatalogBase, Tenant
from tenants.foundation.clock import now
from tenants.foundation.tables import DataClass, Identified, Purpose, column, one_of
from tenants.lifecycle.models import Stepwise


class Step(StrEnum):
    """What comes next. Each step can be killed at any instruction and is taken up by doing it again.

    `kept` and `returned` are where a tenant rests.
    """

    FREEZING = "freezing"
    WRITING = "writing"
    CHECKING = "checking"
    DROPPING = "dropping"
    KEPT = "kept"
    FILLING = "filling"
    MIGRATING = "migrating"
    OPENING = "opening"
    TIDYING = "tidying"
    RETURNED = "returned"

    @property
    def rests(self) -> bool:
        return self in (Step.KEPT, Step.RETURNED)


class Archive(Stepwise, CatalogBase):
    """One time that a tenant was put away: its bundle, how far it is, and how it came back.

    `content` has the content hash of each table, `holds` the ends of the legal holds that
    were in force over something in it, null for one without an end.
    """

    __tablename__ = "archives"
    __table_args__ = (
        one_of("step", Step),
        Index(
            "archives_one_at_a_time_idx",
            "tenant_id",
            unique=True,
            postgresql_where=text("step <> 'returned'"),
        ),
    )
    __purpose__ = Purpose.OPERATION

    tenant_id: Mapped[UUID] = column(ForeignKey(Tenant.id), data=DataClass.TECHNICAL, index=True)
    step: Mapped[str] = column(data=DataClass.TECHNICAL, default=Step.FREEZING)
    state_before: Mapped[str] = column(data=DataClass.TECHNICAL)
    asked_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    reason: Mapped[str] = column(data=DataClass.FREE_TEXT)
    file: Mapped[str | None] = column(data=DataClass.TECHNICAL)
    size: Mapped[int | None] = column(BigInteger, data=DataClass.TECHNICAL)
    rows: Mapped[int | None] = column(BigInteger, data=DataClass.TECHNICAL)
    sha256: Mapped[str | None] = column(data=DataClass.TECHNICAL)
    revision: Mapped[str | None] = column(data=DataClass.TECHNICAL)
    content: Mapped[dict[str, Any] | None] = column(JSONB(none_as_null=True), data=DataClass.TECHNICAL)
    holds: Mapped[list[str | None] | None] = column(JSONB(none_as_null=True), data=DataClass.TECHNICAL)
    kept_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    thaw_asked_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    returned_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)

    def held_at(self, moment: datetime) -> bool:
        """Whether a legal hold keeps what is in it: an end may have come while it was away, nothing else."""
        return any(end is None or datetime.fromisoformat(end) > moment for end in self.holds or ())


class ThawLink(Identified, CatalogBase):
    """A link to an archived tenant, for whoever typed an address that is one of its admins'. It starts one thaw.

    There is no schema that its mail could wait in, so it waits here, sealed under the tenant's key until it is sent.
    """

    __tablename__ = "thaw_links"
    __purpose__ = Purpose.ACCOUNT

    tenant_id: Mapped[UUID] = column(ForeignKey(Tenant.id), data=DataClass.TECHNICAL, index=True)
    hash: Mapped[bytes] = column(LargeBinary, data=DataClass.TECHNICAL, unique=True)
    mail: Mapped[bytes | None] = column(LargeBinary, data=DataClass.CONTACT)
    created_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    expires_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, index=True)
    sent_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    used_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
