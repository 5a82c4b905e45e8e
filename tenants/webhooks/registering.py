"""Webhooks are set up, changed and given other secrets; their addresses are looked at before anything is kept."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select

from tenants.access.caller import acting
from tenants.access.policy import change, remove, save
from tenants.foundation.errors import Conflict, Invalid
from tenants.foundation.exchange import OutboundFailed
from tenants.foundation.outbound import OutboundRefused
from tenants.isolation.door import db
from tenants.isolation.sealing import opened
from tenants.isolation.turns import one_at_a_time
from tenants.webhooks.events import to_choose_from
from tenants.webhooks.models import Webhook, WebhookDelivery, WebhookState
from tenants.webhooks.sending import check
from tenants.webhooks.signing import new_secret

MOST = 20


def make_webhook(said: dict[str, Any]) -> tuple[Webhook, str]:
    """A webhook that is told from now on, with its secret.

    Raises Invalid for an address that nothing can be sent to or an event that there isn't, Conflict when there are
    too many.
    """
    _check(said)
    one_at_a_time("webhooks")
    if len(db().scalars(select(Webhook.id).limit(MOST)).all()) == MOST:
        raise Conflict(f"There are {MOST} webhooks already.", code="too_many")
    secret = new_secret()
    made = Webhook(**said, state=WebhookState.ACTIVE, secret=secret, active_by_id=acting().caller.user_id)
    return save(made), secret


def change_webhook(webhook: Webhook, said: dict[str, Any]) -> Webhook:
    """Change what is said of it. Raises Invalid as `make_webhook` does, Conflict to activate one without a secret."""
    _check(said)
    if "state" in said:
        webhook.stand(WebhookState(said["state"]), acting().caller.user_id)
    return change(webhook, {name: value for name, value in said.items() if name != "state"})


def rotate_secret(webhook: Webhook, grace: timedelta) -> str:
    """Another secret, which signs from now on; the one before signs as well until the grace is over."""
    secret = new_secret()
    webhook.rotate(secret, opened(webhook, "secret"), grace)
    db().flush()
    return secret


def remove_webhook(webhook: Webhook) -> None:
    """Nothing is sent there any more, not even what was on its way."""
    db().execute(delete(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook.id))
    remove(webhook)


def _check(said: dict[str, Any]) -> None:
    if "events" in said:
        _must_be_events(said["events"])
    if "url" in said:
        try:
            check(said["url"])
        except (OutboundRefused, OutboundFailed) as error:
            raise Invalid("Nothing can be sent to this address.", errors={"url": [error.detail]}) from error


def _must_be_events(names: Sequence[str] | None) -> None:
    known = to_choose_from()
    if unknown := [each for each in names or () if each not in known]:
        raise Invalid(errors={"events": [f"There is no event '{each}'." for each in unknown]})
