"""Attachments end with their record, and files with their attachment: after the commit that made them nobody's."""

from collections.abc import Iterable, Sequence
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from tenants.access.policy import find, remove
from tenants.access.removal import must_be_removable, when_gone
from tenants.attachments.attachable import attachable, editable_record
from tenants.attachments.models import Attachment
from tenants.audit.recording import record_event
from tenants.isolation.door import TenantSession, db, here
from tenants.isolation.files import files
from tenants.isolation.storage import StorageFailed, TenantStorage
from tenants.isolation.turns import is_held_open

log = structlog.get_logger(__name__)
#: Held open while a bundle of the tenant takes files from storage.
BUNDLING = "a bundle takes the files"


def detach(attachment_id: UUID) -> None:
    """Remove an attachment. Raises as `editable_record` does, and Conflict while something keeps the record."""
    attachment = find(Attachment, attachment_id, lock=True)
    editable_record(attachment.resource, attachment.record_id)
    must_be_removable(attachment.resource, [attachment.record_id])
    note_on_record(attachment, str(attachment.id), None)
    remove(attachment)


def note_on_record(attachment: Attachment, before: str | None, after: str | None) -> None:
    """Also in the history of the record itself."""
    verb = "attached" if after else "detached"
    changed = {"attachment_id": [before, after]}
    record_event(f"{attachment.resource}.{verb}", attachment.resource, attachment.record_id, changed)


def end_attachments_with_records() -> None:
    """Say once, at start-up and before changes are recorded, that attachments go when their record is gone for good.

    Raises TypeError for a resource that declares attachments and can't have any.
    """
    attachable()
    when_gone(_end_attachments)
    if not event.contains(TenantSession, "before_flush", _end_files):
        event.listen(TenantSession, "before_flush", _end_files)


def _end_attachments(resource: str, record_ids: Sequence[UUID]) -> None:
    same = (Attachment.resource == resource, Attachment.record_id.in_(record_ids))
    for attachment in db().scalars(select(Attachment).where(*same)).all():
        db().delete(attachment)
        remove_after_commit([attachment.file])


def _end_files(session: Session, _context: object, _instances: object) -> None:
    remove_after_commit([each.file for each in session.deleted if isinstance(each, Attachment)])


def remove_after_commit(names: Iterable[str]) -> None:
    """A file goes only when its row is known to be gone, and none while a bundle may still want it: the sweep will."""
    known: set[str] = here().notes.setdefault("files_to_remove", set())
    fresh = [name for name in names if name not in known]
    if not fresh or is_held_open(BUNDLING):
        return
    known.update(fresh)
    here().after_commit.extend(partial(let_go, files(), name) for name in fresh)


def let_go(storage: TenantStorage, name: str) -> None:
    """Remove a file that nobody knows; when storage is away, the sweep does it later."""
    try:
        storage.delete(name)
    except StorageFailed as error:
        log.warning("file_left_to_the_sweep", file=name, reason=str(error))
