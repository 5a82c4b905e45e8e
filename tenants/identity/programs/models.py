"""What programs come in with."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from tenants.foundation.tables import Base, DataClass, Owned, Purpose, Record, column
from tenants.identity.models import User


class ApiKey(Record, Owned, Base):
    """A program's way in: acts as its user, and no further than its own list of permissions, when it has one.

    Rotating one makes another in its place (`replaces_id`) and has it run out.
    """

    __tablename__ = "api_keys"
    __resource__ = "api-keys"
    __purpose__ = Purpose.SECURITY
    __audited__ = True
    __unruled__ = "What a key did stays explainable: it is revoked."

    user_id: Mapped[UUID] = column(ForeignKey(User.id), data=DataClass.TECHNICAL, index=True)
    name: Mapped[str] = column(data=DataClass.BUSINESS)
    hash: Mapped[bytes] = column(LargeBinary, data=DataClass.CREDENTIAL, unique=True)
    hint: Mapped[str] = column(Text, data=DataClass.TECHNICAL)
    scopes: Mapped[list[str] | None] = column(JSONB(none_as_null=True), data=DataClass.TECHNICAL)
    expires_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    revoked_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    last_used_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    last_used_address: Mapped[str | None] = column(data=DataClass.ONLINE)
    replaces_id: Mapped[UUID | None] = column(ForeignKey("api_keys.id"), data=DataClass.TECHNICAL, index=True)
