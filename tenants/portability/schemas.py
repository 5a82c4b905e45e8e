"""How exports look in JSON."""

from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from tenants.http.representation import BodySchema, RecordSchema, Resource, Timestamp
from tenants.http.texts import Pattern
from tenants.identity.people.schemas import known_zone
from tenants.portability.encrypting import MOST
from tenants.portability.formats import Format
from tenants.portability.models import Approval, Export, ExportPurpose, ExportSchedule
from tenants.portability.queries import error, next_run, progress, status

WEB = {"https", "http"}
STATUSES = ("waiting", "refused", "queued", "running", "succeeded", "failed", "cancelled", "expired")


class ChosenSchema(Schema):
    """One resource, and which of its records: the arguments that its list takes, `q` included."""

    class Meta:
        unknown = RAISE

    resource = fields.String(required=True, validate=validate.Length(1, 100))
    filters = fields.Dict(keys=fields.String(), values=fields.String(), load_default=dict)


class ExportBody(BodySchema):
    """What may be said of a new export. Without `resources` it holds everything."""

    format = fields.Enum(Format, by_value=True, load_default=Format.CSV)
    resources = fields.List(fields.Nested(ChosenSchema), validate=validate.Length(1, 50))
    encrypt_to = fields.List(
        fields.String(validate=validate.Length(1, 2000)),
        validate=validate.Length(1, MOST),
        metadata={
            "description": "age recipients (age1…) or ssh public keys; nobody else can read the file, we included."
        },
    )
    purpose = fields.Enum(ExportPurpose, by_value=True, load_default=ExportPurpose.OWN_COPY)
    recipient = fields.String(
        validate=validate.Length(1, 500),
        metadata={"description": "Who gets it; asked for unless it is an own copy."},
    )
    note = fields.String(validate=validate.Length(1, 2000), metadata={"description": "Why, in your words."})
    downloads_left = fields.Integer(
        strict=True,
        validate=validate.Range(1, 1000),
        metadata={
            "description": "How often it may be downloaded; then it is removed. Without it as often as you like."
        },
    )

    @validates_schema
    def _recipient_is_known(self, said: dict[str, Any], **_options: Any) -> None:
        if said["purpose"] is not ExportPurpose.OWN_COPY and not said.get("recipient"):
            raise ValidationError("Say who gets it: this export is for somebody else.", "recipient")


class ExportApprovalBody(BodySchema):
    """Somebody's word on the export of somebody else."""

    approved = fields.Boolean(required=True)
    note = fields.String(validate=validate.Length(1, 2000))


class ExportRulesBody(BodySchema):
    second_approver = fields.Boolean(required=True)


class ExportRulesSchema(Schema):
    """What a tenant asks of every export."""

    second_approver = fields.Boolean(
        required=True, metadata={"description": "Whether another admin has to approve each export."}
    )


class BucketBody(Schema):
    """A bucket of your own, and keys that may put, get and delete objects under the prefix."""

    class Meta:
        unknown = RAISE

    name = fields.String(required=True, validate=Pattern(r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"))
    region = fields.String(required=True, validate=Pattern(r"^[a-z0-9-]{1,40}$"))
    endpoint = fields.Url(
        schemes=WEB, require_tld=False, metadata={"description": "When it is not at Amazon's."}
    )
    account_id = fields.String(
        validate=Pattern(r"^[0-9]{12}$"), metadata={"description": "Which has to own it."}
    )
    prefix = fields.String(load_default="", validate=Pattern(r"^([A-Za-z0-9._-]+/){0,10}$"))
    access_key_id = fields.String(required=True, load_only=True, validate=validate.Length(1, 200))
    secret_access_key = fields.String(required=True, load_only=True, validate=validate.Length(1, 500))


class ExportScheduleBody(ExportBody):
    """What may be said of a new schedule; without a `bucket` copies stay with us."""

    name = fields.String(required=True, validate=validate.Length(1, 200))
    cron = fields.String(required=True, validate=validate.Length(9, 100))
    zone = fields.String(load_default="UTC", validate=known_zone)
    keep = fields.Integer(strict=True, load_default=7, validate=validate.Range(1, 100))
    bucket = fields.Nested(BucketBody)

    class Meta:
        exclude = ("downloads_left",)
        unknown = RAISE


class ExportScheduleChangeBody(BodySchema):
    """What may be changed of a schedule: when, how many copies, for whose keys, and the keys of its bucket."""

    name = fields.String(validate=validate.Length(1, 200))
    cron = fields.String(validate=validate.Length(9, 100))
    zone = fields.String(validate=known_zone)
    keep = fields.Integer(strict=True, validate=validate.Range(1, 100))
    encrypt_to = fields.List(
        fields.String(validate=validate.Length(1, 2000)), validate=validate.Length(1, MOST)
    )
    access_key_id = fields.String(load_only=True, validate=validate.Length(1, 200))
    secret_access_key = fields.String(attribute="secret", load_only=True, validate=validate.Length(1, 500))


class ExportScheduleSchema(RecordSchema):
    """An export that is made again and again. The keys of a bucket are never shown."""

    owner_id = fields.UUID(allow_none=True)
    name = fields.String()
    cron = fields.String()
    zone = fields.String()
    format = fields.Enum(Format, by_value=True)
    resources = fields.List(fields.Dict(), allow_none=True)
    encrypt_to = fields.List(fields.String(), allow_none=True)
    purpose = fields.Enum(ExportPurpose, by_value=True)
    recipient = fields.String(allow_none=True)
    note = fields.String(allow_none=True)
    keep = fields.Integer()
    bucket = fields.Dict(allow_none=True)
    next_run_at = Timestamp(allow_none=True)
    last_succeeded_at = Timestamp(allow_none=True)
    alerted_at = Timestamp(allow_none=True)


class ExportSchema(RecordSchema):
    """A bundle of the whole workspace, or of chosen `resources`.

    `counts` has the rows of each table, `size` and `sha256` are the file's.
    """

    owner_id = fields.UUID(allow_none=True)
    format = fields.Enum(Format, by_value=True)
    resources = fields.List(
        fields.Dict(),
        allow_none=True,
        metadata={"description": "As they were asked for; null means everything."},
    )
    encrypt_to = fields.List(fields.String(), allow_none=True)
    purpose = fields.Enum(ExportPurpose, by_value=True)
    recipient = fields.String(allow_none=True)
    note = fields.String(allow_none=True)
    approval = fields.Enum(Approval, by_value=True, allow_none=True)
    approve_by = Timestamp(allow_none=True)
    decided_by_id = fields.UUID(allow_none=True)
    decided_at = Timestamp(allow_none=True)
    decision_note = fields.String(allow_none=True)
    downloads_left = fields.Integer(allow_none=True)
    status = fields.String(validate=validate.OneOf(STATUSES))
    progress = fields.Dict(
        allow_none=True,
        metadata={"description": "`done` of about `total` rows; `phase` is the table, or `upload`."},
    )
    error = fields.String(allow_none=True)
    schedule_id = fields.UUID(allow_none=True)
    in_bucket = fields.Boolean()
    job_id = fields.UUID(allow_none=True)
    size = fields.Integer(allow_none=True)
    sha256 = fields.String(allow_none=True)
    counts = fields.Dict(keys=fields.String(), values=fields.Integer(), allow_none=True)
    snapshot_at = Timestamp(allow_none=True)
    finished_at = Timestamp(allow_none=True)
    expires_at = Timestamp(allow_none=True)


EXPORTS = Resource(
    "exports",
    Export,
    ExportSchema(),
    expressions={
        "status": status,
        "progress": progress,
        "error": error,
    },
)


EXPORT_SCHEDULES = Resource(
    "export-schedules", ExportSchedule, ExportScheduleSchema(), expressions={"next_run_at": next_run}
)
