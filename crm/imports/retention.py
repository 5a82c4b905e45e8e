"""The rows of old imports, and files that were left, removed; what came of them stays on record."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, delete, func, or_, select

from crm.imports.models import Import, ImportRow
from tenants.audit.models import AuditEvent
from tenants.audit.recording import record_event
from tenants.foundation.clock import now
from tenants.foundation.errors import Gone
from tenants.isolation.door import db
from tenants.isolation.files import files
from tenants.jobs.models import Job, JobState
from tenants.jobs.progress import step

ROWS_AT_ONCE = 10_000
EMPTIED = "imports.emptied"
_kept: list[timedelta] = []


def keep_rows_for(time: timedelta) -> None:
    """Say once, at start-up, how long the rows of an import stay after its end."""
    _kept[:] = [time]


def empty_old_imports() -> None:
    """Remove the rows and the file of every import that ended long enough ago. Killed and run again, it goes on."""
    with step():
        due = _due(now() - _kept[0])
    for import_id in due:
        _empty(import_id)


def must_have_its_rows(record: Import) -> None:
    """Raises Gone, with the day, when the rows of this import were removed."""
    if emptied := _emptied_at(record.id):
        day = emptied.astimezone(UTC).date().isoformat()
        raise Gone(f"The rows of this import were removed on {day}. Its counts are still there.")


def _due(before: datetime) -> list[UUID]:
    """Imports that ended before this moment and have rows, or a file: one that ended badly and was not emptied yet."""
    ended = or_(Job.finished_at < before, and_(Job.id.is_(None), Import.created_at < before))
    has_rows = select(ImportRow.number).where(ImportRow.import_id == Import.id).exists()
    emptied = select(AuditEvent.id).where(AuditEvent.record_id == Import.id, AuditEvent.action == EMPTIED)
    has_file = and_(Job.state.is_distinct_from(JobState.SUCCEEDED.value), ~emptied.exists())
    query = select(Import.id).outerjoin(Job, Job.id == Import.job_id).where(ended, or_(has_rows, has_file))
    return list(db().scalars(query.order_by(Import.id)))


def _empty(import_id: UUID) -> None:
    """Remove what this import has left, some rows a transaction.

    The event comes before the first of them, so that nobody is shown a part of the rows as if it were all.
    """
    with step():
        record = db().scalars(select(Import).where(Import.id == import_id).with_for_update()).one()
        numbers = select(func.min(ImportRow.number), func.max(ImportRow.number), func.count())
        low, high, rows = db().execute(numbers.where(ImportRow.import_id == import_id)).one()
        files().delete(record.file)
        if _emptied_at(import_id) is None:
            record_event(EMPTIED, "imports", import_id, {"rows": [rows, 0]})
    for first in range(low, high + 1, ROWS_AT_ONCE) if rows else ():
        with step():
            some = ImportRow.number.between(first, first + ROWS_AT_ONCE - 1)
            db().execute(delete(ImportRow).where(ImportRow.import_id == import_id, some))


def _emptied_at(import_id: UUID) -> datetime | None:
    event = select(AuditEvent.at).where(AuditEvent.record_id == import_id, AuditEvent.action == EMPTIED)
    return db().scalar(event.order_by(AuditEvent.at).limit(1))
