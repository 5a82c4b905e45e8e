"""Imports over HTTP: a file goes in, its progress is watched, its rejected rows come back."""

from collections.abc import Iterator
from typing import IO, Any
from uuid import UUID

from flask import Response

from crm.imports.models import Import
from crm.imports.permissions import CREATE_IMPORTS, DELETE_IMPORTS, READ_IMPORTS
from crm.imports.rejected import rejected_rows
from crm.imports.retention import must_have_its_rows
from crm.imports.schemas import IMPORTS, UploadFile, UploadForm
from crm.imports.tables import CHUNK
from crm.imports.uploads import accept
from tenants.access.policy import find
from tenants.foundation.errors import Conflict
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.selection import Selection
from tenants.isolation.door import db
from tenants.jobs.models import Job

imports = Blueprint("imports", __name__, url_prefix="/imports", purpose=Purpose.SALES)
CSV = {"200": {"description": "The rows, and why.", "content": {"text/csv": {"schema": {"type": "string"}}}}}


@imports.page("", IMPORTS, may=READ_IMPORTS)
def list_imports() -> Selection:
    """Imports within reach."""
    return Selection(IMPORTS)


@imports.one("/<uuid:import_id>", IMPORTS, may=READ_IMPORTS)
def get_import(import_id: UUID) -> Selection:
    """One import: how far it is, and what came of its rows."""
    return Selection(IMPORTS, {"id": import_id}, single=True)


@imports.post("", may=CREATE_IMPORTS)
@imports.arguments(UploadForm(), location="form", error_status_code=422)
@imports.arguments(UploadFile(), location="files", error_status_code=422)
@imports.answers(202, IMPORTS)
def create_import(said: dict[str, Any], uploaded: dict[str, Any]) -> Import:
    """Import a CSV file. Without a mapping it is guessed from the names of the columns; the answer shows it."""
    return accept(uploaded["file"], said)


@imports.delete("/<uuid:import_id>", may=DELETE_IMPORTS)
@imports.response(204)
def cancel_import(import_id: UUID) -> None:
    """Stop an import. What it did until then stays, and its counts say what that was."""
    record = find(Import, import_id)
    job = db().get(Job, record.job_id, with_for_update=True) if record.job_id else None
    if job is None:
        raise Conflict("This import has ended already.", code="job_ended")
    job.cancel()


@imports.get("/<uuid:import_id>/rejected-rows", may=READ_IMPORTS)
@imports.doc(responses=CSV)
def list_rejected_rows(import_id: UUID) -> Response:
    """The rejected rows as CSV: the columns of the file, and the reason. Formulas are made harmless.

    Rows are removed some time after an import has ended; then this is gone.
    """
    record = find(Import, import_id)
    must_have_its_rows(record)
    answer = Response(_sent(rejected_rows(record)), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="rejected-rows.csv"'
    return answer


def _sent(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK):
            yield chunk
