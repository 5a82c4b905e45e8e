"""Attachments end with their record, and files with their attachment: after the commit that made them nobody's."""

from collections.abc import Iterable
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from tenants.access.policy import find, remove, resource_of
from tenants.attachments.attachable import attachable, editable_record
from tenants.attachments.models import Attachment
from tenants.audit.recording import record_event
from tenants.isolation.door import TenantSession, here
from tenants.isolation.files import files
from tenants.isolation.storage import StorageFailed, TenantStorage
from tenants.isolation.turns import is_held_open

log = structlog.get_logger(__name__)
#: Held open while a bundle of the tenant takes files from storage.
BUNDLING = "a bundle takes the files"


def detach(attachment_id: UUID) -> None:
    """Remove an attachment. Raises NotFound and NotAllowed as `editable_record` does."""
    attachment = find(Attachment, attachment_id, lock=True)
    editable_record(attachment.resource, attachment.record_id)
    note_on_record(attachment, str(attachment.id), None)
    remove(attachment)


def note_on_record(attachment: Attachment, before: str | None, after: str | None) -> None:
    """Also in the history of the record itself."""
    verb = "attached" if after else "detached"
    changed = {"attachment_id": [before, after]}
    record_event(f"{attachment.resource}.{verb}", attachment.resource, attachment.record_id, changed)


def end_attachments_with_records() -> None:
    """Say once, at start-up and before changes are recorded, that attachments go when their record goes.

    Raises TypeError for a resource that declares attachments and can't have any.
    """
    attachable()
    if not event.contains(TenantSession, "before_flush", _end_attachments):
        event.listen(TenantSession, "before_flush", _end_attachments)


def _end_attachments(session: Session, _context: object, _instances: object) -> None:
    for record in [each for each in session.deleted if getattr(each, "__attachments__", False)]:
        for attachment in _attached_to(session, record):
            session.delete(attachment)
    remove_after_commit([each.file for each in session.deleted if isinstance(each, Attachment)])


def _attached_to(session: Session, record: Any) -> Iterable[Attachment]:
    """Of a record that is locked: what somebody attaches at this moment is there already, or finds no record."""
    model = type(record)
    session.execute(select(model.id).where(model.id == record.id).with_for_update())
    same = (Attachment.resource == resource_of(model), Attachment.record_id == record.id)
    return session.scalars(select(Attachment).where(*same)).all()


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
