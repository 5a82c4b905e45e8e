"""Webhooks over HTTP, and what was sent to them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import g

from tenants.access.policy import find
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.selection import Selection
from tenants.webhooks.announcing import send_again, try_out
from tenants.webhooks.events import to_choose_from
from tenants.webhooks.models import Webhook, WebhookDelivery
from tenants.webhooks.permissions import (
    CREATE_WEBHOOKS,
    DELETE_WEBHOOKS,
    EDIT_WEBHOOKS,
    READ_WEBHOOKS,
    TRY_WEBHOOKS,
)
from tenants.webhooks.registering import change_webhook, make_webhook, remove_webhook, rotate_secret
from tenants.webhooks.schemas import (
    WEBHOOK_DELIVERIES,
    WEBHOOKS,
    EventTypesSchema,
    NewWebhookSchema,
    SecretRotationBody,
    WebhookBody,
    WebhookChangeBody,
    WebhookSchema,
)

webhooks = Blueprint("webhooks", __name__, url_prefix="/webhooks", purpose=Purpose.OPERATION)
deliveries = Blueprint(
    "webhook-deliveries", __name__, url_prefix="/webhook-deliveries", purpose=Purpose.OPERATION
)


@webhooks.page("", WEBHOOKS, may=READ_WEBHOOKS)
def list_webhooks() -> Selection:
    """Which addresses are told what happens here, without their secrets."""
    return Selection(WEBHOOKS)


@webhooks.get("/events", may=READ_WEBHOOKS)
@webhooks.response(200, EventTypesSchema())
def list_event_types() -> dict[str, Any]:
    """Everything that a webhook can be told of."""
    return {"data": list(to_choose_from().values())}


@webhooks.one("/<uuid:webhook_id>", WEBHOOKS, may=READ_WEBHOOKS)
def get_webhook(webhook_id: UUID) -> Selection:
    """One webhook, without its secret."""
    return Selection(WEBHOOKS, {"id": webhook_id}, single=True)


@webhooks.post("", may=CREATE_WEBHOOKS)
@webhooks.takes(WebhookBody(), of=WEBHOOKS)
@webhooks.response(201, NewWebhookSchema)
def create_webhook(said: dict[str, Any]) -> dict[str, Any]:
    """Have an address told from now on. Its secret is in this answer and never shown again."""
    return _with_secret(*make_webhook(said))


@webhooks.patch("/<uuid:webhook_id>", may=EDIT_WEBHOOKS)
@webhooks.takes(WebhookChangeBody())
@webhooks.answers(200, WEBHOOKS)
def change_webhook_at(said: dict[str, Any], webhook_id: UUID) -> Webhook:
    """Change its address or what it is told of, silence it, or make it active again."""
    return change_webhook(find(Webhook, webhook_id, lock=True), said)


@webhooks.post("/<uuid:webhook_id>/rotation", may=EDIT_WEBHOOKS)
@webhooks.takes(SecretRotationBody(), of=WEBHOOKS)
@webhooks.response(201, NewWebhookSchema)
def rotate_webhook_secret(said: dict[str, Any], webhook_id: UUID) -> dict[str, Any]:
    """Sign with a new secret, and with the one before as well for `grace_seconds`."""
    webhook = find(Webhook, webhook_id, lock=True)
    return _with_secret(webhook, rotate_secret(webhook, timedelta(seconds=said["grace_seconds"])))


@webhooks.delete("/<uuid:webhook_id>", may=DELETE_WEBHOOKS)
@webhooks.response(204)
def delete_webhook(webhook_id: UUID) -> None:
    """Send nothing there any more, and forget what was sent."""
    remove_webhook(find(Webhook, webhook_id, lock=True))


@webhooks.post("/<uuid:webhook_id>/test", may=TRY_WEBHOOKS)
@webhooks.answers(202, WEBHOOK_DELIVERIES)
def test_webhook(webhook_id: UUID) -> WebhookDelivery:
    """Send an event that tells of nothing, once; the delivery shows what came of it."""
    return try_out(find(Webhook, webhook_id, lock=True))


@webhooks.get("/<uuid:webhook_id>/deliveries", may=READ_WEBHOOKS)
@webhooks.lists(WEBHOOK_DELIVERIES)
def list_deliveries_of_webhook(webhook_id: UUID) -> Selection:
    """What was sent to one webhook in the last thirty days, and what came of it."""
    return Selection(WEBHOOK_DELIVERIES, {"webhook_id": find(Webhook, webhook_id).id})


@deliveries.page("", WEBHOOK_DELIVERIES, may=READ_WEBHOOKS)
def list_webhook_deliveries() -> Selection:
    """What was sent to all webhooks in the last thirty days."""
    return Selection(WEBHOOK_DELIVERIES)


@deliveries.one("/<uuid:delivery_id>", WEBHOOK_DELIVERIES, may=READ_WEBHOOKS)
def get_webhook_delivery(delivery_id: UUID) -> Selection:
    """One delivery."""
    return Selection(WEBHOOK_DELIVERIES, {"id": delivery_id}, single=True)


@deliveries.post("/<uuid:delivery_id>/redelivery", may=TRY_WEBHOOKS)
@deliveries.answers(202, WEBHOOK_DELIVERIES)
def redeliver(delivery_id: UUID) -> WebhookDelivery:
    """Send the same event once more: a delivery of its own, under the same `webhook-id`."""
    return send_again(find(WebhookDelivery, delivery_id))


def _with_secret(webhook: Webhook, secret: str) -> dict[str, Any]:
    g.holds_secret = True
    return {name: getattr(webhook, name) for name in WebhookSchema().fields} | {"secret": secret}
