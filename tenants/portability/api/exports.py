"""Exports over HTTP: asked for, watched, downloaded, removed."""

from typing import Any
from uuid import UUID

from flask import Response, request

from tenants.access.caller import acting
from tenants.access.policy import find, save
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.course import the_house
from tenants.http.selection import Selection
from tenants.portability.approving import ask_for_approval, decide, second_approver
from tenants.portability.choosing import portions
from tenants.portability.encrypting import recipients_of
from tenants.portability.exporting import delete, download, looked_at, must_see_everything
from tenants.portability.jobs import make_export
from tenants.portability.models import Export
from tenants.portability.permissions import APPROVE_EXPORTS, CREATE_EXPORTS, DELETE_EXPORTS, READ_EXPORTS
from tenants.portability.schemas import EXPORTS, ExportApprovalBody, ExportBody

exports = Blueprint("exports", __name__, url_prefix="/exports", purpose=Purpose.PORTABILITY)
ZIP = {"schema": {"type": "string", "format": "binary"}}
FILE = {
    "200": {
        "description": "The bundle.",
        "content": {"application/zip": ZIP, "application/octet-stream": ZIP},
    },
    "409": {},
}


@exports.page("", EXPORTS, may=READ_EXPORTS)
def list_exports() -> Selection:
    """Exports of the whole workspace."""
    return Selection(EXPORTS)


@exports.one("/<uuid:export_id>", EXPORTS, may=READ_EXPORTS)
def get_export(export_id: UUID) -> Selection:
    """One export: how far it is, and what it became."""
    return Selection(EXPORTS, {"id": export_id}, single=True)


@exports.post("", may=CREATE_EXPORTS)
@exports.takes(ExportBody())
@exports.answers(202, EXPORTS)
def create_export(said: dict[str, Any]) -> Export:
    """Export the workspace as a bundle, everything or chosen resources: from one moment, in open formats."""
    must_see_everything(acting().caller)
    portions(said.get("resources", ()), acting().caller)
    recipients_of(said.get("encrypt_to", ()))
    export = Export(**said)
    if second_approver():
        ask_for_approval(export)
    else:
        _make(export)
    return save(export)


@exports.put("/<uuid:export_id>/approval", may=APPROVE_EXPORTS)
@exports.takes(ExportApprovalBody())
@exports.answers(200, EXPORTS)
def decide_export(said: dict[str, Any], export_id: UUID) -> Export:
    """Approve or refuse an export that somebody else asked for. What was approved is made, in the approver's name."""
    export = find(Export, export_id, lock=True)
    if decide(export, approved=said["approved"], note=said.get("note")):
        _make(export)
    return export


@exports.get("/<uuid:export_id>/download", may=READ_EXPORTS)
@exports.doc(responses=FILE)
def download_export(export_id: UUID) -> Response:
    """The bundle as a zip file, or as one that is encrypted with age. That somebody took it is put on record."""
    export = find(Export, export_id, lock=True)
    must_see_everything(acting().caller)
    kind = "application/octet-stream" if export.encrypt_to else "application/zip"
    taken = looked_at(export) if request.method == "HEAD" else download(export)
    answer = Response(taken, content_type=kind)
    answer.headers["Content-Length"] = str(export.size)
    answer.headers["Content-Disposition"] = f'attachment; filename="{export.file_name}"'
    return answer


@exports.delete("/<uuid:export_id>", may=DELETE_EXPORTS)
@exports.response(204)
def delete_export(export_id: UUID) -> None:
    """Remove an export and its file; one that is being made is stopped."""
    delete(find(Export, export_id, lock=True))


def _make(export: Export) -> None:
    export.job_id = make_export.later(export.id, the_house().settings.export_days)
