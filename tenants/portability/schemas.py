"""How exports look in JSON."""

from typing import Any

import sqlalchemy as sa
from marshmallow import fields, validate
from sqlalchemy import ColumnElement, func

from tenants.http.representation import BodySchema, RecordSchema, Resource, Timestamp
from tenants.jobs.models import Job, JobState
from tenants.portability.formats import Format
from tenants.portability.models import Export

STATUSES = ("queued", "running", "succeeded", "failed", "cancelled", "expired")


class ExportBody(BodySchema):
    """What may be said of a new export."""

    format = fields.Enum(Format, by_value=True, load_default=Format.CSV)


class ExportSchema(RecordSchema):
    """A bundle of the whole workspace; `counts` has the rows of each table, `size` and `sha256` are the zip's."""

    owner_id = fields.UUID(allow_none=True)
    format = fields.Enum(Format, by_value=True)
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
    return sa.case(gone, ready, else_=func.coalesce(of_job, "failed"))


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
