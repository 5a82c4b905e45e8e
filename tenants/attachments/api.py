"""Attachments over HTTP: files on records, added, read, renamed and removed with the rights over the record."""

from typing import Any
from uuid import UUID

from flask import Response

from tenants.access.caller import acting
from tenants.access.policy import change, find
from tenants.attachments.adding import attach
from tenants.attachments.attachable import editable_record
from tenants.attachments.ending import detach
from tenants.attachments.models import Attachment
from tenants.attachments.permissions import EDIT_ATTACHMENTS, READ_ATTACHMENTS
from tenants.attachments.reading import opened
from tenants.attachments.schemas import ATTACHMENTS, AttachmentBody, AttachmentFile, AttachmentForm
from tenants.attachments.sniffing import sent_as
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.closed import fields_closed
from tenants.http.course import the_house
from tenants.http.downloads import BYTES, downloaded
from tenants.http.selection import Selection

attachments = Blueprint("attachments", __name__, url_prefix="/attachments", purpose=Purpose.OPERATION)


@attachments.page("", ATTACHMENTS, may=READ_ATTACHMENTS)
def list_attachments() -> Selection:
    """Files on the records within reach: `?resource=deals&record_id=…` for those of one record."""
    return Selection(ATTACHMENTS)


@attachments.one("/<uuid:attachment_id>", ATTACHMENTS, may=READ_ATTACHMENTS)
def get_attachment(attachment_id: UUID) -> Selection:
    """What is known of one file."""
    return Selection(ATTACHMENTS, {"id": attachment_id}, single=True)


@attachments.post("", may=EDIT_ATTACHMENTS)
@attachments.arguments(AttachmentForm(), location="form", error_status_code=422)
@attachments.arguments(AttachmentFile(), location="files", error_status_code=422)
@attachments.answers(201, ATTACHMENTS)
def create_attachment(said: dict[str, Any], uploaded: dict[str, Any]) -> Attachment:
    """Attach a file to a record that one may change."""
    largest = the_house().settings.max_attachment_bytes
    return attach(said["resource"], said["record_id"], uploaded["file"], largest)


@attachments.get("/<uuid:attachment_id>/download", may=READ_ATTACHMENTS)
@attachments.doc(responses=BYTES)
def download_attachment(attachment_id: UUID) -> Response:
    """The file itself. That somebody took it is put on record."""
    found = opened(attachment_id)
    made = found.attachment
    return downloaded(found.chunks, found.close, made.size, _name(made), sent_as(made.media_type))


@attachments.patch("/<uuid:attachment_id>", may=EDIT_ATTACHMENTS)
@attachments.takes(AttachmentBody(partial=True))
@attachments.answers(200, ATTACHMENTS)
def change_attachment(fields: dict[str, Any], attachment_id: UUID) -> Attachment:
    """Give a file another name."""
    attachment = find(Attachment, attachment_id)
    editable_record(attachment.resource, attachment.record_id)
    return change(attachment, fields)


@attachments.delete("/<uuid:attachment_id>", may=EDIT_ATTACHMENTS)
@attachments.response(204)
def delete_attachment(attachment_id: UUID) -> None:
    """Remove a file from its record, for good."""
    detach(attachment_id)


def _name(attachment: Attachment) -> str:
    """A name that is closed to the caller is not told by the download either."""
    closed = fields_closed(acting().caller, "attachments")
    return f"attachment-{attachment.id}" if "name" in closed else attachment.name
