"""How notices look in JSON."""

from marshmallow import Schema, fields

from tenants.http.representation import Resource, Timestamp
from tenants.notices.models import Notice
from tenants.notices.queries import read, read_at


class NoticeSchema(Schema):
    """What the admins were told; `read` and `read_at` are the caller's own."""

    id = fields.UUID(required=True)
    kind = fields.String()
    subject = fields.String()
    text = fields.String()
    at = Timestamp()
    read = fields.Boolean()
    read_at = Timestamp(allow_none=True)


NOTICES = Resource(
    "notices", Notice, NoticeSchema(), sort="-at", expressions={"read": read, "read_at": read_at}
)
