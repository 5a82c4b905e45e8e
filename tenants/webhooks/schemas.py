"""How webhooks and deliveries look in JSON."""

from marshmallow import Schema, fields, validate

from tenants.http.representation import BodySchema, RecordSchema, Resource, Timestamp
from tenants.http.texts import no_nul, text
from tenants.webhooks.models import DeliveryState, Webhook, WebhookDelivery, WebhookState

LONGEST_GRACE = 7 * 24 * 3600
LONGEST_URL = 2000
SAID = [WebhookState.ACTIVE, WebhookState.INACTIVE]


class WebhookSchema(RecordSchema):
    """A webhook without its secret; `events` is what it is told of, null is everything."""

    name = fields.String()
    url = fields.String()
    events = fields.List(fields.String(), allow_none=True)
    state = fields.String(validate=validate.OneOf([each.value for each in WebhookState]))
    disabled_at = Timestamp(allow_none=True)
    disabled_reason = fields.String(allow_none=True)
    former_until = Timestamp(
        allow_none=True, metadata={"description": "Until then the secret before signs as well."}
    )


def _url(*, required: bool) -> fields.String:
    return fields.String(
        required=required,
        validate=[validate.Length(1, LONGEST_URL), no_nul],
        metadata={"description": "https, at a public address."},
    )


def _events() -> fields.List[str]:
    return fields.List(
        fields.String(validate=validate.Length(1, 100)), allow_none=True, validate=validate.Length(1, 100)
    )


class WebhookBody(BodySchema):
    """What may be said of a new webhook; without `events` it is told everything."""

    name = text(100, required=True)
    url = _url(required=True)
    events = _events()


class WebhookChangeBody(BodySchema):
    """What may be changed of a webhook. One that we disabled is made active again here."""

    name = fields.String(validate=[validate.Length(1, 100), no_nul])
    url = _url(required=False)
    events = _events()
    state = fields.String(validate=validate.OneOf([each.value for each in SAID]))


class SecretRotationBody(BodySchema):
    """How long the secret before signs as well."""

    grace_seconds = fields.Integer(required=True, strict=True, validate=validate.Range(0, LONGEST_GRACE))


class NewWebhookSchema(WebhookSchema):
    """A webhook with its secret, which is never shown again."""

    secret = fields.String(required=True)


class EventTypeSchema(Schema):
    """What a webhook can be told of."""

    name = fields.String(required=True)
    text = fields.String(required=True)


class EventTypesSchema(Schema):
    """Everything that a webhook can be told of."""

    data = fields.List(fields.Nested(EventTypeSchema), required=True)


class WebhookDeliverySchema(Schema):
    """One event on its way to one webhook. `excerpt` is the beginning of the last answer, in one line."""

    id = fields.UUID(required=True)
    webhook_id = fields.UUID()
    event_id = fields.UUID(metadata={"description": "The header `webhook-id`: the same at each attempt."})
    event = fields.String()
    occurred_at = Timestamp()
    state = fields.Enum(DeliveryState, by_value=True)
    attempts = fields.Integer()
    status_code = fields.Integer(allow_none=True)
    milliseconds = fields.Integer(allow_none=True)
    excerpt = fields.String(allow_none=True)
    error = fields.String(allow_none=True)
    created_at = Timestamp()
    attempted_at = Timestamp(allow_none=True)
    next_attempt_at = Timestamp(allow_none=True)
    finished_at = Timestamp(allow_none=True)


WEBHOOKS = Resource("webhooks", Webhook, WebhookSchema())
WEBHOOK_DELIVERIES = Resource("webhook-deliveries", WebhookDelivery, WebhookDeliverySchema())
