"""Deliveries are made by workers, and tried again for three days."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.foundation.tables import Purpose
from tenants.isolation.door import db, here
from tenants.jobs.progress import conclude, step
from tenants.jobs.registry import job
from tenants.webhooks.delivering import note, parcel_of
from tenants.webhooks.models import DeliveryState, WebhookDelivery
from tenants.webhooks.sending import send

KEPT = timedelta(days=30)
#: A worker that dies costs an attempt of the job, and none of the delivery.
TRIES = 24


@job("webhooks.deliver", purpose=Purpose.OPERATION, steps=True, always=True, attempts=TRIES, minutes=5)
def deliver(delivery_id: UUID) -> None:
    """Try a delivery once. Between sending and noting it, a crash sends it twice, as one event."""
    with step():
        parcel = parcel_of(delivery_id)
        if parcel is None:
            conclude()
            return
    answered = send(parcel)
    with step():
        again = note(delivery_id, answered)
        conclude({"status_code": answered.status_code, "error": answered.error})
        if again is not None:
            # This job has just ended: its key is free for the next attempt.
            deliver.once(str(delivery_id)).at(again).later(delivery_id)


@job("webhooks.tidy", purpose=Purpose.OPERATION, every="49 3 * * *", always=True)
def tidy_deliveries() -> None:
    """Forget what was sent a month ago, and send on its way what waits without a job."""
    over = (WebhookDelivery.finished_at < now() - KEPT,)
    db().execute(delete(WebhookDelivery).where(*over))
    late = WebhookDelivery.next_attempt_at < now() - timedelta(hours=1)
    waiting = select(WebhookDelivery.id).where(WebhookDelivery.state == DeliveryState.PENDING, late)
    for delivery_id in db().scalars(waiting):
        send_on_its_way(delivery_id)


def send_on_its_way(delivery_id: UUID) -> None:
    """Have a delivery made after the commit. The house sends it, whoever caused it: nobody used the tenant for that."""
    whoever = here().caller
    act_as(SYSTEM, request_id=whoever.request_id if whoever else "")
    try:
        deliver.once(str(delivery_id)).later(delivery_id)
    finally:
        here().caller = whoever
