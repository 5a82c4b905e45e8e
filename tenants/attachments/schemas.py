"""How attachments look in JSON, and what may be said of them."""

import marshmallow
from flask_smorest.fields import Upload
from marshmallow import fields, validate

from tenants.attachments.attachable import attachable
from tenants.attachments.models import Attachment
from tenants.attachments.naming import LONGEST, is_clean
from tenants.http.representation import BodySchema, RecordSchema, Resource
from tenants.http.subjects import Attached


class AttachmentForm(BodySchema):
    """Which record the file is attached to, as fields of a form."""

    resource = fields.String(required=True, validate=validate.Length(1, 100))
    record_id = fields.UUID(required=True)


class AttachmentFile(marshmallow.Schema):
    """The file."""

    file = Upload(required=True)


class AttachmentBody(BodySchema):
    """What an attachment is called."""

    name = fields.String(required=True, validate=validate.Length(1, LONGEST))

    @marshmallow.validates("name")
    def _is_clean(self, name: str, **_options: object) -> None:
        if not is_clean(name):
            raise marshmallow.ValidationError(
                f"A name is one line of at most {LONGEST} bytes, without folders, invisible marks"
                " and the characters that Windows reserves."
            )


class AttachmentSchema(RecordSchema):
    """A file on a record. `media_type` is what its bytes say, `claimed_type` what the sender said."""

    resource = fields.String(required=True)
    record_id = fields.UUID(required=True)
    name = fields.String(required=True)
    media_type = fields.String()
    claimed_type = fields.String(allow_none=True)
    size = fields.Integer()
    sha256 = fields.String()
    added_by_id = fields.UUID(allow_none=True)


ATTACHMENTS = Resource(
    "attachments",
    Attachment,
    AttachmentSchema(),
    attached=Attached("resource", "record_id", attachable),
)
