"""A webhook that was disabled is told of by the other ways."""

from tenants.notices.kinds import notice_kind
from tenants.notices.telling import tell
from tenants.webhooks.delivering import when_disabled
from tenants.webhooks.models import Webhook

DISABLED = notice_kind("webhooks.disabled", "A webhook was disabled")
TEXT = """The webhook "{name}" is disabled: nothing is sent to {host} any more.

{reason}

What was not taken is listed under /api/v1/webhooks/{id}/deliveries and can be sent again from there. Once the receiver
works, make the webhook active again: PATCH /api/v1/webhooks/{id} with {{"state": "active"}}.
"""


def tell_of_disabled_webhooks() -> None:
    """From now on admins are told of each, in the transaction that disables it."""
    when_disabled(_tell)


def _tell(webhook: Webhook) -> None:
    host = webhook.url.partition("://")[2].partition("/")[0]
    text = TEXT.format(name=webhook.name, host=host, reason=webhook.disabled_reason, id=webhook.id)
    tell(DISABLED, "A webhook of your workspace was disabled", text)
