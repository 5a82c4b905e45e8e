"""What the people of a tenant were told as its admins."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from tenants.foundation.clock import now
from tenants.foundation.tables import Base, DataClass, Identified, Purpose, column


class Notice(Identified, Base):
    """Something that befell the tenant as a whole, as its admins were told of it.

    `key` is the name of what is told once however often it is tried. `mails` are the ids of the mails that told it,
    `readers` says by user's id when each of them read it here.
    """

    __tablename__ = "notices"
    __table_args__ = (Index(None, "at", "id"),)
    __purpose__ = Purpose.ACCOUNT

    kind: Mapped[str] = column(data=DataClass.TECHNICAL)
    subject: Mapped[str] = column(data=DataClass.FREE_TEXT)
    text: Mapped[str] = column(data=DataClass.FREE_TEXT)
    at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    key: Mapped[str | None] = column(data=DataClass.TECHNICAL, unique=True)
    mails: Mapped[list[str]] = column(JSONB, data=DataClass.TECHNICAL, default=list)
    readers: Mapped[dict[str, Any]] = column(JSONB, data=DataClass.TECHNICAL, default=dict)

    def read(self, user_id: UUID | None) -> None:
        """Somebody has read it; the first time counts."""
        self.readers = {str(user_id): f"{now():%Y-%m-%dT%H:%M:%S.%fZ}", **self.readers}

    def unread(self, user_id: UUID | None) -> None:
        """Somebody wants to come back to it."""
        self.readers = {name: at for name, at in self.readers.items() if name != str(user_id)}
