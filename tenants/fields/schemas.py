"""How the definition of a field looks in JSON, and what may be said of it."""

from typing import Any

import marshmallow
from marshmallow import fields, validate

from tenants.custom_fields.models import MOST_CHOICES, NAME, CustomField, Kind
from tenants.http.representation import BodySchema, RecordSchema, Resource, Timestamp
from tenants.http.texts import Pattern, no_nul, text

PLAIN_NAME = Pattern(NAME, error="A small letter, then small letters, digits and underscores: 50 at most.")
POSITION = validate.Range(0, 1_000_000)


class FieldChangeBody(BodySchema):
    """What may be said of a field later on. Records keep values that are no choice any more."""

    label = text(100, required=True)
    choices = fields.List(text(100, required=True), validate=validate.Length(max=MOST_CHOICES))
    required = fields.Boolean()
    personal = fields.Boolean()
    position = fields.Integer(strict=True, validate=POSITION)

    @marshmallow.validates("choices")
    def _each_once(self, value: list[str], **_options: Any) -> None:
        if len(set(value)) < len(value):
            raise marshmallow.ValidationError("Each choice once.")


class FieldBody(FieldChangeBody):
    """What a field begins with: its resource, name and kind stay. Its values are personal unless it says otherwise."""

    resource = fields.String(required=True, validate=[validate.Length(1, 100), no_nul])
    name = fields.String(required=True, validate=PLAIN_NAME)
    kind = fields.Enum(Kind, by_value=True, required=True)


class FieldSchema(RecordSchema):
    """A field that the tenant added to the records of a resource."""

    resource = fields.String(required=True)
    name = fields.String(required=True)
    label = fields.String(required=True)
    kind = fields.Enum(Kind, by_value=True, required=True)
    choices = fields.List(fields.String(), required=True)
    required = fields.Boolean(required=True)
    personal = fields.Boolean(required=True)
    position = fields.Integer(required=True)
    archived_at = Timestamp(allow_none=True)


FIELDS = Resource("fields", CustomField, FieldSchema(), sort="resource,position,name")
