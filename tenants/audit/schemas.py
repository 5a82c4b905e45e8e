"""How an audit event looks in JSON."""

import marshmallow
from marshmallow import fields

from tenants.audit.models import AuditEvent
from tenants.http.representation import Resource, Timestamp


class AuditValuesSchema(marshmallow.Schema):
    """The personal values of an event, [before, after] by field; absent once they were erased."""

    values = fields.Dict(keys=fields.String(), values=fields.Raw())


class AuditEventSchema(marshmallow.Schema):
    """Who did what to which record, when and from where."""

    id = fields.UUID(required=True)
    at = Timestamp(required=True)
    action = fields.String(required=True)
    resource = fields.String(required=True)
    record_id = fields.UUID(allow_none=True)
    actor_kind = fields.String()
    actor_id = fields.UUID(allow_none=True)
    credential_id = fields.UUID(allow_none=True)
    request_id = fields.String()
    address = fields.String(allow_none=True)
    changes = fields.Dict(keys=fields.String(), values=fields.Raw())
    personal_fields = fields.List(fields.String())
    personal = fields.Nested(AuditValuesSchema, allow_none=True)


AUDIT_EVENTS = Resource("audit-events", AuditEvent, AuditEventSchema(), sort="-at")
