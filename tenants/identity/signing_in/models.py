"""What people sign in with, and the browsers that are signed in."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, text
from sqlalchemy.orm import Mapped

from tenants.foundation.clock import now
from tenants.foundation.tables import Base, DataClass, Identified, Purpose, column, one_of
from tenants.identity.models import User

KINDS = ("totp", "passkey", "recovery_code")


class Password(Base):
    """The argon2id hash of a user's password (RFC 9106)."""

    __tablename__ = "passwords"
    __purpose__ = Purpose.SECURITY

    user_id: Mapped[UUID] = column(ForeignKey(User.id), data=DataClass.TECHNICAL, primary_key=True)
    hash: Mapped[str] = column(data=DataClass.CREDENTIAL)
    changed_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)


class Session(Identified, Base):
    """A browser that is signed in: how (`method`), whether with a second factor (`strong`), and since when.

    `confirmed_at` is when its person last showed who they are; dangerous acts ask for it again after a while.
    """

    __tablename__ = "sessions"
    __purpose__ = Purpose.SECURITY

    user_id: Mapped[UUID] = column(ForeignKey(User.id), data=DataClass.TECHNICAL, index=True)
    hash: Mapped[bytes] = column(LargeBinary, data=DataClass.CREDENTIAL, unique=True)
    method: Mapped[str] = column(data=DataClass.TECHNICAL, default="password", server_default="password")
    strong: Mapped[bool] = column(data=DataClass.TECHNICAL, default=False, server_default="false")
    created_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    confirmed_at: Mapped[datetime] = column(
        data=DataClass.TECHNICAL, default=now, server_default=text("now()")
    )
    last_seen_at: Mapped[datetime] = column(
        data=DataClass.TECHNICAL, default=now, server_default=text("now()")
    )
    expires_at: Mapped[datetime] = column(data=DataClass.TECHNICAL)
    ended_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    address: Mapped[str | None] = column(data=DataClass.ONLINE)
    device: Mapped[str | None] = column(data=DataClass.ONLINE)


class Authenticator(Identified, Base):
    """A second factor or passkey of a user, or one recovery code.

    `secret` is a TOTP secret (RFC 6238), `last_step` the last time step it was used in, so that no code works twice;
    `public_key` and `sign_count` are a passkey's (WebAuthn 2, section 6.1); `hash` is a recovery code's.
    """

    __tablename__ = "authenticators"
    __table_args__ = (one_of("kind", KINDS),)
    __purpose__ = Purpose.SECURITY
    __stays__ = "A second factor is bound to this installation; it is set up again elsewhere."

    user_id: Mapped[UUID] = column(ForeignKey(User.id), data=DataClass.TECHNICAL, index=True)
    kind: Mapped[str] = column(data=DataClass.TECHNICAL)
    name: Mapped[str] = column(data=DataClass.BUSINESS)
    secret: Mapped[Any] = column(LargeBinary, data=DataClass.CREDENTIAL, sealed=True, nullable=True)
    last_step: Mapped[int | None] = column(BigInteger, data=DataClass.TECHNICAL)
    credential_id: Mapped[bytes | None] = column(LargeBinary, data=DataClass.CREDENTIAL, unique=True)
    public_key: Mapped[bytes | None] = column(LargeBinary, data=DataClass.CREDENTIAL)
    sign_count: Mapped[int | None] = column(BigInteger, data=DataClass.TECHNICAL)
    hash: Mapped[bytes | None] = column(LargeBinary, data=DataClass.CREDENTIAL)
    created_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    confirmed_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    last_used_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
