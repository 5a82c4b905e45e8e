"""Mails on their way out, sealed as long as they wait."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, LargeBinary
from sqlalchemy.orm import Mapped

from tenants.foundation.clock import now
from tenants.foundation.tables import Base, DataClass, Identified, Purpose, column


class Mail(Identified, Base):
    """A mail to one address. Its text may hold a link that opens something, so it is forgotten once it is sent."""

    __tablename__ = "mails"
    __table_args__ = (Index("mails_created_at_idx", "created_at"),)
    __purpose__ = Purpose.ACCOUNT
    __stays__ = "It is sent from here, once; a copy of the tenant must not send it again."

    address: Mapped[Any] = column(LargeBinary, data=DataClass.CONTACT, sealed=True, nullable=True)
    subject: Mapped[Any] = column(LargeBinary, data=DataClass.FREE_TEXT, sealed=True, nullable=True)
    text: Mapped[Any] = column(LargeBinary, data=DataClass.FREE_TEXT, sealed=True, nullable=True)
    created_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    sent_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
