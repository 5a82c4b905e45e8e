"""Invitations: who was offered to come in, by whom, and what became of it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, relationship

from tenants.foundation.errors import Conflict
from tenants.foundation.tables import Base, DataClass, Purpose, Record, column, one_of
from tenants.identity.models import User

INVITATION_STATES = ("pending", "accepted", "withdrawn")


class Invitation(Record, Base):
    """A link that was mailed to somebody, so that they become a user. `made_user`: nobody knew them before."""

    __tablename__ = "invitations"
    __table_args__ = (
        one_of("state", INVITATION_STATES),
        Index(None, "created_at", "id"),
        Index("invitations_pending_idx", "user_id", unique=True, postgresql_where=text("state = 'pending'")),
    )
    __purpose__ = Purpose.ACCOUNT
    __audited__ = True
    __unruled__ = "It works for days; that somebody was invited is part of who may do what."
    __stays__ = "Its link leads here. Who accepted one is among the users; a copy of the tenant invites anew."

    user_id: Mapped[UUID] = column(ForeignKey(User.id), data=DataClass.TECHNICAL)
    email: Mapped[str] = column(data=DataClass.CONTACT)
    state: Mapped[str] = column(data=DataClass.TECHNICAL, default="pending")
    made_user: Mapped[bool] = column(Boolean, data=DataClass.TECHNICAL)
    invited_by_id: Mapped[UUID | None] = column(ForeignKey(User.id), data=DataClass.TECHNICAL)
    expires_at: Mapped[datetime] = column(data=DataClass.TECHNICAL)
    user: Mapped[User] = relationship(foreign_keys="Invitation.user_id", lazy="raise")

    def must_be_open(self) -> None:
        """Raises Conflict when it was accepted or withdrawn."""
        if self.state != "pending":
            raise Conflict(f"This invitation was {self.state} already.", code="invitation_over")
