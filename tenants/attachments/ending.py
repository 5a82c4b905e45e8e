"""Attachments end with their record, and files with their attachment: after the commit that made them nobody's."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy import event, select

from tenants.access.policy import find, remove
from tenants.access.removal import must_be_removable, when_gone
from tenants.attachments.attachable import attachable, editable_record
from tenants.attachments.models import Attachment, file_of
from tenants.audit.erasure import forget_values
from tenants.audit.recording import record_event
from tenants.isolation.door import db, here
from tenants.isolation.files import files
from tenants.isolation.storage import StorageFailed, TenantStorage
from tenants.isolation.turns import is_held_open

log = structlog.get_logger(__name__)
#: Held open while a bundle of the tenant takes files from storage.
BUNDLING = "a bundle takes the files"


def detach(attachment_id: UUID) -> None:
    """Remove an attachment, past the bin.

    Raises NotFound and NotAllowed as `editable_record` does, Conflict while a hold or a rule keeps the record.
    """
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
    """Say once, at start-up, that attachments go when their record goes for good; those of one in the bin stay.

    Raises TypeError for a resource that declares attachments and can't have any.
    """
    attachable()
    when_gone(end_with)


def end_with(resource: str, record_ids: Sequence[UUID]) -> None:
    """Delete what is attached to records that go for good, with the values that the audit has of it.

    Records that are still there are locked first: what somebody attaches at this moment is there already, or finds no
    record.
    """
    if (model := attachable().get(resource)) is None:
        return
    db().execute(select(model.id).where(model.id.in_(record_ids)).order_by(model.id).with_for_update())
    theirs = (Attachment.resource == resource, Attachment.record_id.in_(record_ids))
    rows = db().execute(select(Attachment.id, Attachment.record_id).where(*theirs)).all()
    if not rows:
        return
    forget_values([each.id for each in rows])
    table = Attachment.__table__
    db().connection().execute(sa.delete(table).where(table.c.id.in_([each.id for each in rows])))  # type: ignore[arg-type]
    for each in rows:
        record_event(
            "attachments.deleted", "attachments", each.id, {"record_id": [str(each.record_id), None]}
        )
    _remove_after_commit([each.id for each in rows])


@event.listens_for(Attachment, "after_delete")
def _remove_its_file(_mapper: object, _connection: object, attachment: Attachment) -> None:
    _remove_after_commit([attachment.id])


def _remove_after_commit(attachment_ids: Sequence[UUID]) -> None:
    """A file goes when its row is known to be gone, unless a bundle may still want it: then the sweep removes it."""
    if not is_held_open(BUNDLING):
        here().after_commit.extend(partial(let_go, files(), file_of(each)) for each in attachment_ids)


def let_go(storage: TenantStorage, name: str) -> None:
    """Remove a file that nobody knows; when storage is away, the sweep does it later."""
    try:
        storage.delete(name)
    except StorageFailed as error:
        log.warning("file_left_to_the_sweep", file=name, reason=str(error))
