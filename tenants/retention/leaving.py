"""What happens whenever a record is deleted: holds and rules are asked, then it goes to the bin, or for good."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import event, select
from sqlalchemy.orm import ORMExecuteState, Session

from tenants.access.caller import acting
from tenants.access.policy import resource_of
from tenants.access.removal import gone, must_be_removable, object_to_removal
from tenants.audit.recording import as_json
from tenants.foundation.clock import now
from tenants.foundation.identifiers import new_id
from tenants.foundation.tables import Base, Identified
from tenants.isolation.door import TenantSession, here
from tenants.isolation.sealing import place, sealed_text
from tenants.retention.binning import purge_day
from tenants.retention.holds import must_not_be_held
from tenants.retention.keeping import Kept, kind_of, kinds
from tenants.retention.models import BinEntry
from tenants.retention.moments import as_kept, facts_of
from tenants.retention.retaining import must_not_be_retained
from tenants.retention.snapshots import snapshot

FOR_GOOD = "for good"
DELETION = "deletion"


def watch_removals() -> None:
    """Say once, at start-up and before changes are recorded, that nothing goes without being asked for and kept."""
    object_to_removal(_object)
    listeners: tuple[tuple[str, Any], ...] = (
        ("before_flush", _let_go),
        ("do_orm_execute", _refuse_bulk),
    )
    for moment, listener in listeners:
        if not event.contains(TenantSession, moment, listener):
            event.listen(TenantSession, moment, listener)


@contextmanager
def for_good() -> Iterator[None]:
    """What is deleted in the block goes past the bin. Holds and rules are asked all the same."""
    here().notes[FOR_GOOD] = True
    try:
        yield
    finally:
        del here().notes[FOR_GOOD]


def _object(resource: str | None, record_ids: Sequence[UUID]) -> None:
    if resource is not None and resource not in kinds():
        return
    must_not_be_held(record_ids)
    must_not_be_retained(resource, record_ids)


def _let_go(session: Session, _context: object, _instances: object) -> None:
    for name, records in _leaving(session).items():
        record_ids, kind = [each.id for each in records], kind_of(type(records[0]))
        if kind is not None:
            # What somebody writes at this moment is there already, or finds no record.
            locked = select(kind.model.id).where(kind.model.id.in_(record_ids)).with_for_update()
            session.execute(locked)
            must_be_removable(name, record_ids)
        if kind is None or FOR_GOOD in here().notes:
            gone(name, record_ids)
        else:
            session.add_all([_entry(kind, each) for each in records])


def _leaving(session: Session) -> dict[str, list[Any]]:
    """What is about to be deleted, by resource."""
    leaving: dict[str, list[Any]] = {}
    for record in session.deleted:
        if isinstance(record, Identified) and isinstance(record, Base):
            leaving.setdefault(resource_of(type(record)), []).append(record)
    return leaving


def _entry(kind: Kept, record: Any) -> BinEntry:
    (facts,) = facts_of(kind, [record.id])
    entry = BinEntry(
        purge_at=purge_day(now()),
        deletion_id=here().notes.setdefault(DELETION, new_id()),
        deleted_by_id=acting().caller.user_id,
        resource=kind.name,
        record_id=record.id,
        owner_id=getattr(record, "owner_id", None),
        team_id=getattr(record, "team_id", None),
        brief={name: as_json(getattr(record, name)) for name in kind.known_by},
        moments=as_kept(facts),
    )
    # The session seals what is new before a flush, and this comes during one.
    entry.content = sealed_text(snapshot(kind.model.__table__, record.id), place(entry, "content"))
    return entry


def _refuse_bulk(state: ORMExecuteState) -> None:
    mapper = state.bind_mapper
    if state.is_delete and mapper and kind_of(mapper.class_) is not None:
        message = (
            f"{mapper.class_.__name__} is deleted record by record: a bulk statement would pass the bin."
        )
        raise RuntimeError(message)
