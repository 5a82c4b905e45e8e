"""Tells the webhooks of the tenant at hand what happened: one delivery for each that wants to hear of it."""

from uuid import UUID

from sqlalchemy import ColumnElement, or_, select

from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict, NotFound
from tenants.foundation.identifiers import new_id
from tenants.isolation.door import db
from tenants.webhooks.events import TEST, Occurrence
from tenants.webhooks.jobs import send_on_its_way
from tenants.webhooks.models import DeliveryState, Webhook, WebhookDelivery, WebhookState


def announce(occurrence: Occurrence) -> list[UUID]:
    """Send it to every active webhook that wants it, unless the transaction comes to nothing; the deliveries' ids."""
    wanting = select(Webhook.id).where(
        Webhook.state == WebhookState.ACTIVE,
        or_(Webhook.events.is_(None), Webhook.events.contains([occurrence.type.name])),
    )
    made = [
        WebhookDelivery(
            webhook_id=each, event_id=occurrence.id, event=occurrence.type.name, occurred_at=occurrence.at,
            resource=occurrence.resource,
        )
        for each in db().scalars(wanting.order_by(Webhook.id))
    ]  # fmt: skip
    return [_sent(each).id for each in made]


def try_out(webhook: Webhook) -> WebhookDelivery:
    """Send an event that tells of nothing, once, also to a webhook that gets nothing else at the moment.

    Raises Conflict without a secret to sign with, and while another trial is on its way.
    """
    if webhook.secret is None:
        raise Conflict("This webhook has no secret. Rotate it first.", code="no_secret")
    _must_not_be_on_its_way(WebhookDelivery.webhook_id == webhook.id, WebhookDelivery.event == TEST.name)
    made = WebhookDelivery(webhook_id=webhook.id, event_id=new_id(), event=TEST.name, occurred_at=now())
    return _sent(made)


def send_again(delivery: WebhookDelivery) -> WebhookDelivery:
    """The same event once more, as a delivery of its own.

    Raises Conflict while it is on its way already, and for a webhook that gets nothing; NotFound for one that was
    removed at this moment.
    """
    webhook = db().get(Webhook, delivery.webhook_id, with_for_update=True)
    if webhook is None:
        raise NotFound
    same_event = WebhookDelivery.event_id == delivery.event_id
    _must_not_be_on_its_way(WebhookDelivery.webhook_id == webhook.id, same_event)
    if webhook.state != WebhookState.ACTIVE and delivery.event != TEST.name:
        raise Conflict("This webhook is not active: nothing is sent there.", code="webhook_inactive")
    same = ("webhook_id", "event_id", "event", "occurred_at", "resource")
    return _sent(WebhookDelivery(**{name: getattr(delivery, name) for name in same}))


def _must_not_be_on_its_way(*which: ColumnElement[bool]) -> None:
    """Receivers that let us wait keep workers busy: nobody has many wait for one by asking again and again."""
    waiting = select(WebhookDelivery.id).where(*which, WebhookDelivery.state == DeliveryState.PENDING)
    if db().scalar(waiting.limit(1)) is not None:
        raise Conflict("This is on its way already.", code="delivery_pending")


def _sent(delivery: WebhookDelivery) -> WebhookDelivery:
    db().add(delivery)
    db().flush()
    send_on_its_way(delivery.id)
    return delivery
