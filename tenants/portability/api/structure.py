"""What data a tenant can take along, and how it looks, for everybody to read: before there is a contract, too."""

from typing import Any

from marshmallow import Schema, fields

from tenants.access.permissions import ANYONE
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.portability.formats import Format
from tenants.portability.structure import structure

export_structure = Blueprint(
    "export-structure", __name__, url_prefix="/export-structure", purpose=Purpose.PORTABILITY
)


class ExportFormatSchema(Schema):
    name = fields.Enum(Format, by_value=True, required=True)
    media_type = fields.String(required=True)
    brought_back = fields.Boolean(
        required=True, metadata={"description": "Whether a workspace can be made of it again."}
    )


class StandardSchema(Schema):
    """Something that bundles keep to, and where it is written down."""

    name = fields.String(required=True)
    url = fields.String(required=True)


class ExportTableSchema(Schema):
    name = fields.String(required=True)
    purpose = fields.Enum(Purpose, by_value=True, required=True)
    schema = fields.Dict(
        required=True,
        metadata={"description": "A Frictionless Table Schema, with `dataClass` and `sealed` of each field."},
    )


class LeftOutSchema(Schema):
    """A table that no bundle holds, or some fields of one."""

    table = fields.String(required=True)
    fields_ = fields.List(
        fields.String(), required=True, data_key="fields", attribute="fields",
        metadata={"description": "None named means all of the table."},
    )  # fmt: skip
    reason = fields.String(required=True)


class ExportStructureSchema(Schema):
    """Every table and field of a bundle of this version; it is the same for all workspaces."""

    bundle_version = fields.Integer(required=True)
    schema_revision = fields.String(required=True)
    formats = fields.List(fields.Nested(ExportFormatSchema), required=True)
    standards = fields.List(fields.Nested(StandardSchema), required=True)
    files = fields.String(required=True)
    own_fields = fields.String(required=True)
    tables = fields.List(fields.Nested(ExportTableSchema), required=True)
    left_out = fields.List(fields.Nested(LeftOutSchema), required=True)


@export_structure.get("", may=ANYONE)
@export_structure.response(200, ExportStructureSchema)
def get_export_structure() -> dict[str, Any]:
    """The register of what can be exported: tables, fields, types, classes of data, formats, and what stays behind."""
    return structure()
