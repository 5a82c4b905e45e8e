"""How imports look in JSON, and what an upload says besides the file."""

from typing import Any

import marshmallow
import sqlalchemy as sa
from flask_smorest.fields import Upload
from marshmallow import fields, validate
from sqlalchemy import func
from sqlalchemy.dialects.postgresql import ARRAY

from crm.imports.importable import importables
from crm.imports.models import Import, Mode
from crm.imports.queries import counts, object_of
from crm.records.fields import no_nul
from tenants.foundation.errors import Malformed
from tenants.http.reading import read_json
from tenants.http.representation import BodySchema, RecordSchema, Resource, Timestamp
from tenants.jobs.models import Job, JobState

MOST_JSON = 200_000


class JsonObject(fields.Field[Any]):
    """A JSON object in a field of a form."""

    def __init__(self, **options: Any) -> None:
        metadata = {"type": "string", "contentMediaType": "application/json", **options.pop("metadata", {})}
        super().__init__(metadata=metadata, **options)

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> dict[str, Any]:
        no_nul(value)
        try:
            read = read_json(value) if len(value) < MOST_JSON else None
        except Malformed as twice:
            raise marshmallow.ValidationError(twice.detail) from None
        except (ValueError, RecursionError):
            read = None
        if not isinstance(read, dict) or "\\u0000" in value:
            raise marshmallow.ValidationError("Not a JSON object.")
        return read


class ColumnsToFields(JsonObject):
    """Which column goes to which field, or fields; null where it goes to none."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        read = super()._deserialize(value, *args, **kwargs)
        for said in read.values():
            names = said if isinstance(said, list) else [said]
            if not all(name is None or isinstance(name, str) for name in names):
                raise marshmallow.ValidationError(
                    "Each column goes to the name of a field, to a list of them, or to null."
                )
        return read


class WordsToWords(JsonObject):
    """What to read instead of what a cell says."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        read = super()._deserialize(value, *args, **kwargs)
        for said in read.values():
            if not isinstance(said, dict) or any(isinstance(word, list | dict) for word in said.values()):
                raise marshmallow.ValidationError("Each column has an object of words to words.")
        return read


class UploadForm(BodySchema):
    """How a file is to be read, as fields of a form."""

    resource = fields.String(required=True, metadata={"description": "What the rows are."})
    mapping = ColumnsToFields(
        metadata={"description": 'Columns to fields: `{"E-mail": "email", "Firm": "company.name"}`.'}
    )
    values = WordsToWords(metadata={"description": 'Columns to words: `{"Stage": {"Won!": "won"}}`.'})
    match_on = fields.String(validate=[validate.Length(1, 100), no_nul])
    mode = fields.Enum(Mode, by_value=True, load_default=Mode.CREATE)
    dry_run = fields.Boolean(load_default=False)

    @marshmallow.validates("resource")
    def _is_known(self, resource: str, **_options: Any) -> None:
        if resource not in importables():
            raise marshmallow.ValidationError(f"One of: {', '.join(sorted(importables()))}.")


class UploadFile(marshmallow.Schema):
    """The file."""

    file = Upload(required=True)


class ImportSchema(RecordSchema):
    """An import. `mapping` is the one in use; columns that go nowhere are in `unmapped`."""

    owner_id = fields.UUID(allow_none=True)
    resource = fields.String(required=True)
    mode = fields.Enum(Mode, by_value=True)
    match_on = fields.String(allow_none=True)
    dry_run = fields.Boolean()
    file_name = fields.String()
    size = fields.Integer()
    encoding = fields.String()
    delimiter = fields.String()
    mapping = fields.Dict(keys=fields.String())
    unmapped = fields.List(fields.String())
    values = fields.Dict(keys=fields.String())
    status = fields.String(validate=validate.OneOf(["queued", "running", "succeeded", "failed", "cancelled"]))
    progress = fields.Dict(metadata={"description": "`done` of `total` rows, and the `phase`."})
    counts = fields.Dict(keys=fields.String(), values=fields.Integer())
    problem = fields.String(allow_none=True)
    job_id = fields.UUID(allow_none=True)
    finished_at = Timestamp(allow_none=True)


def _of_job(shown: Any) -> Any:
    """Something of the import's job, from the job's table."""

    def expression(table: Any) -> Any:
        job: Any = Job.__table__.alias("job")
        return sa.select(shown(job)).where(job.c.id == table.c.job_id).scalar_subquery()

    return expression


def _status(job: Any) -> Any:
    waiting = [
        job.c.state == sa.literal_column(f"'{each.value}'") for each in (JobState.READY, JobState.DISPATCHED)
    ]
    return sa.case((sa.or_(*waiting), sa.literal_column("'queued'")), else_=job.c.state)


def _unmapped(table: Any) -> Any:
    pairs = func.jsonb_each_text(table.c.mapping).table_valued("key", "value")
    names = sa.select(func.array_agg(pairs.c.key, type_=ARRAY(sa.Text()))).where(pairs.c.value.is_(None))
    return func.coalesce(names.scalar_subquery(), sa.cast(sa.literal_column("'{}'"), ARRAY(sa.Text)))


IMPORTS = Resource(
    "imports",
    Import,
    ImportSchema(),
    expressions={
        "unmapped": _unmapped,
        "counts": counts,
        "status": _of_job(_status),
        "problem": _of_job(lambda job: job.c.error),
        "finished_at": _of_job(lambda job: job.c.finished_at),
        "progress": _of_job(lambda job: object_of(done=job.c.done, total=job.c.total, phase=job.c.phase)),
    },
)
