"""The bin over HTTP: what was deleted, restored or let go."""

from typing import Any
from uuid import UUID

from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.selection import Selection
from tenants.retention.binning import purge, restore
from tenants.retention.permissions import PURGE, READ_BIN, RESTORE
from tenants.retention.schemas import ENTRIES, RestorationSchema

the_bin = Blueprint("bin", __name__, url_prefix="/bin", purpose=Purpose.OPERATION)


@the_bin.page("", ENTRIES, may=READ_BIN)
def list_bin() -> Selection:
    """What was deleted, of the records that would be within reach; the last deletion first."""
    return Selection(ENTRIES)


@the_bin.one("/<uuid:entry_id>", ENTRIES, may=READ_BIN)
def get_bin_entry(entry_id: UUID) -> Selection:
    """One record that was deleted."""
    return Selection(ENTRIES, {"id": entry_id}, single=True)


@the_bin.post("/<uuid:entry_id>/restoration", may=RESTORE)
@the_bin.response(201, RestorationSchema)
def restore_from_bin(entry_id: UUID) -> dict[str, Any]:
    """Put a record back as it was, with what was deleted because of it. Whoever may delete it may do this."""
    entry = restore(entry_id)
    return {"id": entry.record_id, "resource": entry.resource}


@the_bin.delete("/<uuid:entry_id>", may=PURGE)
@the_bin.response(204)
def purge_from_bin(entry_id: UUID) -> None:
    """Let a record go for good, now."""
    purge(entry_id)
