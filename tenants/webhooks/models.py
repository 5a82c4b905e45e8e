"""Where a tenant wants to be told, and what became of each delivery there."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped

from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict
from tenants.foundation.tables import AtRest, Base, DataClass, Identified, Purpose, Record, column, one_of

#: How long after each failed attempt the next one comes: ten attempts within three days and some hours.
PAUSES = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 300, 1800, 7200, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
GONE = 410


class WebhookState(StrEnum):
    """Whether anything is sent there: `inactive` was an admin's word, `disabled` ours, after days without an answer."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    DISABLED = "disabled"


class DeliveryState(StrEnum):
    """Where a delivery stands; the last two are ends."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


#: Whoever has the original is told; a copy tells nobody until an admin there says so.
INACTIVE_IN_COPIES = AtRest(frozenset({WebhookState.ACTIVE}), WebhookState.INACTIVE, "original_state")


class Webhook(Record, Base):
    """An address of the tenant's that is told what happens to it, signed with a secret that both sides know.

    `events` names what it wants to be told of; None is everything. While `former_until` lasts, the secret before signs
    as well. `active_by_id` is who said that it is told: when they leave, it is told no more.
    """

    __tablename__ = "webhooks"
    __table_args__ = (
        one_of("state", WebhookState),
        CheckConstraint("(state = 'disabled') = (disabled_at is not null)", name="disabled_dated"),
    )
    __purpose__ = Purpose.OPERATION
    __audited__ = True
    __unruled__ = "It is there until somebody removes it."

    name: Mapped[str] = column(data=DataClass.BUSINESS)
    url: Mapped[str] = column(data=DataClass.BUSINESS)
    events: Mapped[list[str] | None] = column(JSONB(none_as_null=True), data=DataClass.TECHNICAL)
    state: Mapped[str] = column(
        data=DataClass.TECHNICAL, default=WebhookState.ACTIVE, info={"at_rest": INACTIVE_IN_COPIES}
    )
    original_state: Mapped[str | None] = column(
        data=DataClass.TECHNICAL,
        info={"stays": "The state itself has it: a copy of a copy is inactive again."},
    )
    active_by_id: Mapped[UUID | None] = column(ForeignKey("users.id"), data=DataClass.TECHNICAL, index=True)
    disabled_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    disabled_reason: Mapped[str | None] = column(data=DataClass.FREE_TEXT)
    secret: Mapped[Any] = column(LargeBinary, data=DataClass.CREDENTIAL, sealed=True, nullable=True)
    former_secret: Mapped[Any] = column(LargeBinary, data=DataClass.CREDENTIAL, sealed=True, nullable=True)
    former_until: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)

    def stand(self, state: WebhookState, by: UUID | None) -> None:
        """An admin's word on whether anything is sent; they answer for it from now on.

        Raises Conflict when there is no secret to sign with.
        """
        if state is WebhookState.ACTIVE and self.secret is None:
            raise Conflict(
                "The secret of this webhook stayed behind when this tenant came here. Rotate it first.",
                code="no_secret",
            )
        self.state, self.original_state, self.active_by_id = state, None, by
        self.disabled_at = self.disabled_reason = None

    def disable(self, reason: str) -> None:
        """Nothing is sent there any more, until an admin says so."""
        self.state, self.original_state = WebhookState.DISABLED, None
        self.disabled_at, self.disabled_reason = now(), reason

    def rotate(self, secret: str, former: str | None, grace: timedelta) -> None:
        """Sign with another secret; with the one before as well until the grace is over."""
        both = former is not None and grace > timedelta(0)
        self.former_secret, self.former_until = (former, now() + grace) if both else (None, None)
        self.secret = secret


class WebhookDelivery(Identified, Base):
    """One event on its way to one webhook: tried until it is taken, or given up after the last pause of `PAUSES`.

    `event_id` is the same however often, and to however many, the event is sent.
    """

    __tablename__ = "webhook_deliveries"
    __resource__ = "webhooks"
    __table_args__ = (
        one_of("state", DeliveryState),
        CheckConstraint("(state = 'pending') = (finished_at is null)", name="end_dated"),
        Index("webhook_deliveries_webhook_id_created_at_idx", "webhook_id", "created_at", "id"),
        Index("webhook_deliveries_event_id_idx", "event_id"),
        Index("webhook_deliveries_created_at_idx", "created_at"),
        Index("webhook_deliveries_pending_idx", "id", postgresql_where=text("state = 'pending'")),
    )
    __purpose__ = Purpose.OPERATION
    __stays__ = (
        "What was sent from here, and what is on its way; a copy of the tenant must not send it again."
    )

    webhook_id: Mapped[UUID] = column(ForeignKey(Webhook.id), data=DataClass.TECHNICAL)
    event_id: Mapped[UUID] = column(data=DataClass.TECHNICAL)
    event: Mapped[str] = column(data=DataClass.TECHNICAL)
    occurred_at: Mapped[datetime] = column(data=DataClass.TECHNICAL)
    resource: Mapped[str | None] = column(data=DataClass.TECHNICAL)
    state: Mapped[str] = column(data=DataClass.TECHNICAL, default=DeliveryState.PENDING)
    attempts: Mapped[int] = column(Integer, data=DataClass.TECHNICAL, default=0)
    status_code: Mapped[int | None] = column(Integer, data=DataClass.TECHNICAL)
    milliseconds: Mapped[int | None] = column(Integer, data=DataClass.TECHNICAL)
    excerpt: Mapped[str | None] = column(data=DataClass.FREE_TEXT)
    error: Mapped[str | None] = column(data=DataClass.FREE_TEXT)
    created_at: Mapped[datetime] = column(data=DataClass.TECHNICAL, default=now)
    attempted_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)
    next_attempt_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL, default=now)
    finished_at: Mapped[datetime | None] = column(data=DataClass.TECHNICAL)

    def end(self, state: DeliveryState, error: str | None = None) -> None:
        """It was taken, or is given up."""
        self.state, self.error = state, error
        self.next_attempt_at, self.finished_at = None, now()

    def try_again(self, error: str) -> datetime | None:
        """When the next attempt comes; None when that was the last one."""
        if self.attempts > len(PAUSES) or self.status_code == GONE:
            return None
        self.error, self.next_attempt_at = error, now() + PAUSES[self.attempts - 1]
        return self.next_attempt_at
