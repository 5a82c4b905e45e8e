"""One copy of a schedule: made, read back, put in the place of the oldest."""

import hashlib
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select

from tenants.foundation.clock import now
from tenants.foundation.encryption import Unreadable
from tenants.foundation.errors import NotFound, Unavailable
from tenants.isolation.door import db
from tenants.isolation.files import files
from tenants.portability.bundling import Bundling
from tenants.portability.exporting import note
from tenants.portability.keeping import keeping_of
from tenants.portability.models import Export, ExportSchedule
from tenants.portability.parcels import file_of

SOMETHING_ELSE = "The copy was read back as something else than was written. It is made again."


def scheduled(schedule_id: UUID) -> ExportSchedule:
    """The schedule. Raises NotFound when it was ended meanwhile."""
    found = db().get(ExportSchedule, schedule_id)
    if found is None:
        raise NotFound("The schedule was ended meanwhile.")
    return found


def copy_of(schedule_id: UUID, job_id: UUID) -> Export:
    """The copy that this job makes; a second attempt goes on with the one of the first."""
    made = db().scalars(select(Export).where(Export.job_id == job_id)).one_or_none()
    if made is None:
        made = scheduled(schedule_id).copy(job_id)
        db().add(made)
        db().flush()
    return made


def must_be_whole(pieces: Iterable[bytes], sha256: str, size: int) -> None:
    """Read a copy back. Raises Unavailable, so that it is made again, when it is not what was written."""
    found, length = hashlib.sha256(), 0
    try:
        for piece in pieces:
            found.update(piece)
            length += len(piece)
    except Unreadable as error:
        raise Unavailable(SOMETHING_ELSE) from error
    if (found.hexdigest(), length) != (sha256, size):
        raise Unavailable(SOMETHING_ELSE)


def finish_copy(schedule_id: UUID, export_id: UUID, name: str, made: Bundling) -> None:
    """Say that the copy is there, which ends what was wrong before."""
    note(db().get_one(Export, export_id), name, made)
    scheduled(schedule_id).succeeded()


def surplus(schedule: ExportSchedule) -> list[Export]:
    """The copies beyond those that are kept, oldest first."""
    there = select(Export).where(Export.schedule_id == schedule.id, Export.file.is_not(None))
    found = db().scalars(there.order_by(Export.finished_at.desc(), Export.id.desc())).all()
    return list(reversed(found[schedule.keep :]))


def remove_surplus(schedule: ExportSchedule) -> None:
    """Remove the copies beyond those that are kept. A file goes first: to remove it twice does no harm."""
    place = keeping_of(schedule)
    for export in surplus(schedule):
        for name in export.expire():
            place.delete(name)
        export.expires_at = now()
    db().flush()


def forget_attempts(export: Export, attempt: int) -> None:
    """Remove what earlier attempts stored with us and never said."""
    for earlier in range(1, attempt):
        files().delete(file_of(export.id, earlier))
