"""How a job looks in JSON."""

from typing import Any

from marshmallow import Schema, fields, validate
from sqlalchemy import ColumnElement, func

from tenants.http.representation import Resource, Timestamp
from tenants.jobs.models import Job, JobState


class JobSchema(Schema):
    """A job; `progress` counts whatever its `phase` is about, and `error` says why it failed."""

    id = fields.UUID(required=True, dump_only=True)
    kind = fields.String(dump_only=True)
    status = fields.String(
        attribute="state", dump_only=True, validate=validate.OneOf([each.value for each in JobState])
    )
    progress = fields.Dict(keys=fields.String(), dump_only=True)
    result = fields.Dict(keys=fields.String(), allow_none=True, dump_only=True)
    error = fields.String(allow_none=True, dump_only=True)
    failures = fields.Integer(dump_only=True)
    owner_id = fields.UUID(allow_none=True, dump_only=True)
    request_id = fields.String(dump_only=True)
    created_at = Timestamp(dump_only=True)
    run_at = Timestamp(dump_only=True)
    started_at = Timestamp(allow_none=True, dump_only=True)
    finished_at = Timestamp(allow_none=True, dump_only=True)
    cancel_requested_at = Timestamp(allow_none=True, dump_only=True)


def _progress(table: Any) -> ColumnElement[Any]:
    columns = getattr(table, "c", table)
    return func.json_build_object("done", columns.done, "total", columns.total, "phase", columns.phase)


JOBS = Resource("jobs", Job, JobSchema(), expressions={"progress": _progress})
