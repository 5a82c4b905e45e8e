"""What the HTTP layer remembers: the answers that a repeated POST gets again."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Integer, LargeBinary
from sqlalchemy.orm import Mapped

from tenants.foundation.clock import now
from tenants.foundation.tables import Base, DataClass, Identified, Purpose, column


class IdempotencyKey(Identified, Base):
    """A POST that was carried out, with its rendered answer, sealed."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index(None, "place", unique=True), Index(None, "created_at"))
    __purpose__ = Purpose.OPERATION
    __stays__ = "Answers to requests that were made here; nobody repeats those elsewhere."

    place: Mapped[bytes] = column(LargeBinary, data=DataClass.TECHNICAL)
    fingerprint: Mapped[bytes] = column(LargeBinary, data=DataClass.TECHNICAL)
    status: Mapped[int] = column(Integer, data=DataClass.TECHNICAL)
    answer: Mapped[bytes] = column(LargeBinary, data=DataClass.FREE_TEXT, sealed=True)
    user_id: Mapped[UUID | None] = column(data=DataClass.TECHNICAL)
    created_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
