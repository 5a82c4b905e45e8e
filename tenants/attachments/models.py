"""Files on records: what they are called, what they turned out to be, and where they are stored."""

from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped

from tenants.foundation.tables import Base, DataClass, Purpose, Record, column

FOLDER = "attachments/"


class Attachment(Record, Base):
    """A file on a record of another resource. Its bytes are sealed in storage, from before the row exists.

    `media_type` is what the first bytes say, `claimed_type` what the sender said. `size` and `sha256` are those of the
    file itself.
    """

    __tablename__ = "attachments"
    __table_args__ = (Index(None, "record_id", "created_at", "id"), Index(None, "created_at", "id"))
    __purpose__ = Purpose.OPERATION
    __audited__ = True
    __unruled__ = "It goes with its record."

    resource: Mapped[str] = column(data=DataClass.TECHNICAL)
    record_id: Mapped[UUID] = column(data=DataClass.TECHNICAL)
    name: Mapped[str] = column(data=DataClass.FREE_TEXT)
    media_type: Mapped[str] = column(data=DataClass.TECHNICAL)
    claimed_type: Mapped[str | None] = column(data=DataClass.TECHNICAL)
    size: Mapped[int] = column(BigInteger, data=DataClass.TECHNICAL)
    sha256: Mapped[str] = column(data=DataClass.TECHNICAL)
    added_by_id: Mapped[UUID | None] = column(ForeignKey("users.id"), data=DataClass.TECHNICAL)

    @property
    def file(self) -> str:
        """Where it is stored."""
        return file_of(self.id)


def file_of(attachment_id: UUID | str) -> str:
    """Where the file of the attachment with this id is stored."""
    return f"{FOLDER}{attachment_id}"
