"""The fields that a tenant adds to its records, over HTTP."""

from typing import Any
from uuid import UUID

from tenants.access.policy import find
from tenants.custom_fields.models import CustomField
from tenants.fields.defining import add_field, archive_field, bring_back, change_field, must_be_deletable
from tenants.fields.jobs import remove
from tenants.fields.permissions import CREATE_FIELDS, DELETE_FIELDS, EDIT_FIELDS, READ_FIELDS
from tenants.fields.schemas import FIELDS, FieldBody, FieldChangeBody
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.selection import Selection
from tenants.isolation.door import db
from tenants.jobs.models import Job
from tenants.jobs.schemas import JOBS

fields = Blueprint("fields", __name__, url_prefix="/fields", purpose=Purpose.OPERATION)


@fields.page("", FIELDS, may=READ_FIELDS)
def list_fields() -> Selection:
    """The fields that were added: `?resource=contacts` for those of contacts."""
    return Selection(FIELDS)


@fields.one("/<uuid:field_id>", FIELDS, may=READ_FIELDS)
def get_field(field_id: UUID) -> Selection:
    """One field."""
    return Selection(FIELDS, {"id": field_id}, single=True)


@fields.post("", may=CREATE_FIELDS)
@fields.takes(FieldBody())
@fields.answers(201, FIELDS)
def create_field(said: dict[str, Any]) -> CustomField:
    """Add a field to the records of a resource. They show and take its values in `custom`."""
    return add_field(said)


@fields.patch("/<uuid:field_id>", may=EDIT_FIELDS)
@fields.takes(FieldChangeBody(partial=True))
@fields.answers(200, FIELDS)
def update_field(said: dict[str, Any], field_id: UUID) -> CustomField:
    """Change a field (JSON merge patch, RFC 7396). Its resource, name and kind stay."""
    return change_field(find(CustomField, field_id, lock=True), said)


@fields.put("/<uuid:field_id>/archival", may=EDIT_FIELDS)
@fields.answers(200, FIELDS)
def put_archival(field_id: UUID) -> CustomField:
    """Archive a field: its values can be read and taken away, and no new ones come."""
    return archive_field(find(CustomField, field_id, lock=True))


@fields.delete("/<uuid:field_id>/archival", may=EDIT_FIELDS)
@fields.answers(200, FIELDS)
def delete_archival(field_id: UUID) -> CustomField:
    """Take values for an archived field again."""
    return bring_back(find(CustomField, field_id, lock=True))


@fields.delete("/<uuid:field_id>", may=DELETE_FIELDS)
@fields.answers(202, JOBS)
def delete_field(field_id: UUID) -> Job:
    """Delete an archived field with the values of all records; the job says how far that is."""
    must_be_deletable(find(CustomField, field_id, lock=True))
    return db().get_one(Job, remove.once(str(field_id)).later(field_id))
