"""How exports look in JSON."""

from typing import Any

import sqlalchemy as sa
from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema
from sqlalchemy import ColumnElement, func

from tenants.http.representation import BodySchema, RecordSchema, Resource, Timestamp
from tenants.jobs.models import Job, JobState
from tenants.portability.encrypting import MOST
from tenants.portability.formats import Format
from tenants.portability.models import Approval, Export, ExportPurpose

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
        allow_none=True, metadata={"description": "`done` of about `total` rows; `phase` is the table."}
    )
    error = fields.String(allow_none=True)
    job_id = fields.UUID(allow_none=True)
    size = fields.Integer(allow_none=True)
    sha256 = fields.String(allow_none=True)
    counts = fields.Dict(keys=fields.String(), values=fields.Integer(), allow_none=True)
    snapshot_at = Timestamp(allow_none=True)
    finished_at = Timestamp(allow_none=True)
    expires_at = Timestamp(allow_none=True)


def _of_job(shown: Any, table: Any) -> Any:
    job: Any = Job.__table__.alias("job")
    return sa.select(shown(job.c)).where(job.c.id == table.c.job_id).scalar_subquery()


def _status(table: Any) -> ColumnElement[Any]:
    """Of the job while there is one to tell, and of the file from then on."""
    ready = (table.c.finished_at.is_not(None), "succeeded")
    gone = (
        table.c.finished_at.is_not(None) & (table.c.file.is_(None) | (table.c.expires_at <= func.now())),
        "expired",
    )
    waiting = {JobState.READY: "queued", JobState.DISPATCHED: "queued"}
    of_job = _of_job(lambda job: sa.case(waiting, value=job.state, else_=job.state), table)
    waits = table.c.approval == Approval.WAITING
    unheard = (waits & (table.c.approve_by <= func.now()), "expired")
    said = ((table.c.approval == Approval.REFUSED, "refused"), (waits, "waiting"))
    return sa.case(unheard, *said, gone, ready, else_=func.coalesce(of_job, "failed"))


def _progress(table: Any) -> Any:
    return _of_job(
        lambda job: func.json_build_object("done", job.done, "total", job.total, "phase", job.phase), table
    )


EXPORTS = Resource(
    "exports",
    Export,
    ExportSchema(),
    expressions={
        "status": _status,
        "progress": _progress,
        "error": lambda table: _of_job(lambda job: job.error, table),
    },
)
