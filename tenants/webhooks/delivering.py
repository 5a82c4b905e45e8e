"""What is on its way: written beside what happened, tried outside of any transaction, noted with what came of it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select

from tenants.foundation.clock import now
from tenants.isolation.door import db
from tenants.isolation.sealing import opened
from tenants.webhooks.events import TEST
from tenants.webhooks.models import GONE, DeliveryState, Webhook, WebhookDelivery, WebhookState
from tenants.webhooks.sending import Answered, Parcel
from tenants.webhooks.signing import signed

API_VERSION = "v1"
SILENT = "Nothing was taken there for three days. The last attempt: {error}"
NOT_WANTED = "The receiver answered 410: it wants nothing any more."
LEFT = "Whoever had it told was deactivated. Make it active again, if its address is yours."
UNSENT = "The webhook is {state}: nothing is sent there."
#: Who is told, in the transaction at hand, that a webhook was disabled.
Listener = Callable[[Webhook], None]
_listeners: list[Listener] = []


def when_disabled(listener: Listener) -> None:
    """Say once, at start-up, who hears that a webhook was disabled."""
    _listeners[:] = [listener]


def parcel_of(delivery_id: UUID) -> Parcel | None:
    """What is to be sent now; None when there is nothing to do, or any more."""
    found = _found(delivery_id)
    if found is None:
        return None
    delivery, webhook = found
    secrets = _secrets(webhook)
    if webhook.state != WebhookState.ACTIVE and delivery.event != TEST.name:
        delivery.end(DeliveryState.FAILED, UNSENT.format(state=webhook.state))
        return None
    if not secrets:
        delivery.end(DeliveryState.FAILED, "The webhook has no secret to sign with: rotate it.")
        return None
    body = body_of(delivery)
    headers = {"Content-Type": "application/json", **signed(str(delivery.event_id), now(), body, secrets)}
    return Parcel(webhook.url, headers, body)


def note(delivery_id: UUID, answered: Answered) -> datetime | None:
    """Put down what came of an attempt; when the next one is due, if there is one.

    After the last one the webhook is disabled, unless it took something else meanwhile; 410 says so at once.
    """
    found = _found(delivery_id)
    if found is None:
        return None
    delivery, webhook = found
    delivery.attempts += 1
    delivery.attempted_at = now()
    delivery.milliseconds, delivery.status_code = answered.milliseconds, answered.status_code
    delivery.excerpt = answered.excerpt
    if answered.error is None:
        delivery.end(DeliveryState.DELIVERED)
        return None
    again = None if delivery.event == TEST.name else delivery.try_again(answered.error)
    if again is None:
        delivery.end(DeliveryState.FAILED, answered.error)
        db().flush()
        if delivery.event != TEST.name:
            _give_up(webhook, delivery, answered)
    return again


def body_of(delivery: WebhookDelivery) -> bytes:
    """A thin event: which record tells more, and nothing of what is in it. The same bytes at each attempt."""
    record = delivery.resource and {
        "resource": delivery.resource,
        "id": str(delivery.event_id),
        "url": f"/api/{API_VERSION}/{delivery.resource}/{delivery.event_id}",
    }
    said: dict[str, Any] = {
        "id": str(delivery.event_id),
        "type": delivery.event,
        "occurred_at": f"{delivery.occurred_at:%Y-%m-%dT%H:%M:%S.%fZ}",
        "api_version": API_VERSION,
        "object": record or None,
    }
    return orjson.dumps(said)


def _found(delivery_id: UUID) -> tuple[WebhookDelivery, Webhook] | None:
    """A delivery that is still to be made and its webhook, locked in the order in which both are changed."""
    waiting = (WebhookDelivery.id == delivery_id, WebhookDelivery.state == DeliveryState.PENDING)
    webhook = select(Webhook).join(WebhookDelivery, WebhookDelivery.webhook_id == Webhook.id)
    receiver = db().scalars(webhook.where(*waiting).with_for_update(of=Webhook)).one_or_none()
    delivery = db().scalars(select(WebhookDelivery).where(*waiting).with_for_update()).one_or_none()
    return None if receiver is None or delivery is None else (delivery, receiver)


def _secrets(webhook: Webhook) -> list[str]:
    """What signs at this moment, the newest first."""
    former = webhook.former_until is not None and webhook.former_until > now()
    names = ("secret", "former_secret") if former else ("secret",)
    return [secret for name in names if (secret := opened(webhook, name))]


def _give_up(webhook: Webhook, delivery: WebhookDelivery, answered: Answered) -> None:
    gone = answered.status_code == GONE
    if webhook.state != WebhookState.ACTIVE or (_took_something(webhook, delivery.created_at) and not gone):
        return
    _disable(webhook, NOT_WANTED if gone else SILENT.format(error=answered.error))


def disable_those_of(user_id: UUID) -> None:
    """Who leaves is told nothing any more: what they had told is disabled, until another admin answers for it."""
    theirs = select(Webhook).where(Webhook.active_by_id == user_id, Webhook.state == WebhookState.ACTIVE)
    for webhook in db().scalars(theirs.order_by(Webhook.id).with_for_update()).all():
        _disable(webhook, LEFT)


def _disable(webhook: Webhook, reason: str) -> None:
    webhook.disable(reason)
    db().flush()
    for listener in _listeners:
        listener(webhook)


def _took_something(webhook: Webhook, since: datetime) -> bool:
    taken = select(WebhookDelivery.id).where(
        WebhookDelivery.webhook_id == webhook.id,
        WebhookDelivery.state == DeliveryState.DELIVERED,
        WebhookDelivery.event != TEST.name,
        WebhookDelivery.finished_at >= since,
    )
    return db().scalar(taken.limit(1)) is not None
