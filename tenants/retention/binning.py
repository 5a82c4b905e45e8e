"""The bin: what is in it comes back as it was, or goes for good, by hand or in its time."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import sqlalchemy.exc
from sqlalchemy import Table, func, select, update

from tenants.access.caller import acting
from tenants.access.policy import find
from tenants.access.reaching import decide
from tenants.access.removal import gone, must_be_removable
from tenants.audit.erasure import forget_values
from tenants.audit.recording import record_event
from tenants.custom_fields.definitions import definitions
from tenants.custom_fields.models import COLUMN
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict, Invalid, NotAllowed, NotFound
from tenants.foundation.tables import Owned
from tenants.isolation.door import db
from tenants.isolation.sealing import opened
from tenants.isolation.violations import of_integrity
from tenants.retention.keeping import Kept, kinds
from tenants.retention.models import Action, BinEntry
from tenants.retention.moments import later
from tenants.retention.periods import Period
from tenants.retention.retaining import terms_in_force
from tenants.retention.snapshots import fields_in, must_be_of, put_back

BIN = "bin"
#: How long the bin keeps what nobody wrote a rule for.
USUAL = Period(0, 30)


def purge_day(deleted_at: datetime) -> datetime:
    """Until when the bin keeps what was deleted at a moment: as its own rule says, the shortest of several."""
    return min(each.after(deleted_at) for each in _periods())


def reschedule() -> None:
    """Say anew until when the bin keeps what is in it, after its rules changed."""
    days = func.least(*(later(BinEntry.created_at, each) for each in _periods()))
    db().execute(update(BinEntry).values(purge_at=days))


def _periods() -> list[Period]:
    terms = terms_in_force(BIN, Action.DELETE).get(BIN, ())
    today = now().date()
    return [each.period for each in terms if each.effective_from <= today] or [USUAL]


def restore(entry_id: UUID) -> BinEntry:
    """Put a record back as it was, with what was deleted because of it.

    Raises NotFound and NotAllowed for whoever may not delete such a record, Conflict when its place is taken or what
    it refers to is gone.
    """
    entry = _entry(entry_id)
    for each in (entry, *_went_along(entry)):
        _must_reach(each)
        _put_back(each)
    return entry


def purge(entry_id: UUID) -> None:
    """Let a record go for good before its time. Raises as `restore` does, Conflict when it has to be kept."""
    entry = _entry(entry_id)
    must_be_removable(None, [entry.record_id])
    record_event(f"{entry.resource}.purged", entry.resource, entry.record_id, {})
    let_go_of([entry])


def let_go_of(entries: Sequence[BinEntry]) -> None:
    """Delete entries that nothing objects to, with the values that the audit has of their records."""
    for resource, record_ids in by_resource(entries).items():
        gone(resource, record_ids)
    for each in entries:
        db().delete(each)
    db().flush()
    forget_values([each.record_id for each in entries])


def by_resource(entries: Sequence[BinEntry]) -> dict[str, list[UUID]]:
    """The ids of the records that were deleted, by their resource."""
    found: dict[str, list[UUID]] = {}
    for each in entries:
        found.setdefault(each.resource, []).append(each.record_id)
    return found


def digest_of(record_ids: Sequence[UUID]) -> str:
    """SHA-256 over the sorted ids, one a line: shows later whether a record was among those that went."""
    return sha256("\n".join(sorted(map(str, record_ids))).encode()).hexdigest()


def _entry(entry_id: UUID) -> BinEntry:
    entry = find(BinEntry, entry_id, lock=True)
    if entry.resource not in kinds():
        raise NotFound
    if not decide(acting().caller, f"{entry.resource}:read", _stand_in(entry)).allowed:
        raise NotFound
    _must_reach(entry)
    return entry


def _must_reach(entry: BinEntry) -> None:
    may = f"{entry.resource}:delete"
    if not decide(acting().caller, may, _stand_in(entry)).allowed:
        raise NotAllowed(f"'{may}' does not reach this record for you.")


def _stand_in(entry: BinEntry) -> Any:
    """Something of the same owner and team as the record was."""
    model = kinds()[entry.resource].model
    whose = {"owner_id": entry.owner_id, "team_id": entry.team_id} if issubclass(model, Owned) else {}
    return model(id=entry.record_id, **whose)


def _went_along(entry: BinEntry) -> Iterator[BinEntry]:
    """What was deleted in one go with a record and refers to it: it can't have stayed without."""
    table = kinds()[entry.resource].model.__table__
    same = (BinEntry.deletion_id == entry.deletion_id, BinEntry.id != entry.id)
    for other in db().scalars(select(BinEntry).where(*same).order_by(BinEntry.id).with_for_update()):
        if _refers(other, table, entry.record_id):
            yield other


def _refers(entry: BinEntry, table: Table, record_id: UUID) -> bool:
    mine = kinds()[entry.resource].model.__table__
    names = {each.parent.name for each in mine.foreign_keys if each.column is table.c.id}
    rows = (values for name, values in fields_in(opened(entry, "content") or "[]") if name == mine.name)
    return any(values.get(name) == str(record_id) for values in rows for name in names)


def _put_back(entry: BinEntry) -> None:
    kind, text = kinds()[entry.resource], opened(entry, "content") or "[]"
    must_be_of(kind.model.__table__, entry.record_id, text)
    try:
        put_back(text, entry.record_id, _changes(kind, entry, text))
    except sqlalchemy.exc.IntegrityError as error:
        raise _in_words(error) from error
    away = {"in_bin_since": [entry.created_at.isoformat(), None]}
    record_event(f"{entry.resource}.restored", entry.resource, entry.record_id, away)
    db().delete(entry)
    db().flush()


def _changes(kind: Kept, entry: BinEntry, text: str) -> dict[str, Any]:
    """What is otherwise after a while in the bin: somebody just wanted it, and its team may be gone."""
    before = next(values for name, values in fields_in(text) if name == kind.model.__table__.name)
    changes = {"version": before["version"] + 1, "updated_at": now()}
    if entry.team_id is not None:
        (key,) = kind.model.__table__.c.team_id.foreign_keys
        changes["team_id"] = db().scalar(select(key.column).where(key.column == entry.team_id))
    if said := before.get(COLUMN):
        known = definitions(holding=True).of(kind.name)
        changes[COLUMN] = {name: value for name, value in said.items() if name in known}
    return changes


def _in_words(error: sqlalchemy.exc.IntegrityError) -> Exception:
    refusal = of_integrity(error.orig)
    if isinstance(refusal, Invalid) and refusal.errors:
        named = ", ".join(refusal.errors)
        return Conflict(
            f"What this refers to is no longer there ({named}). Restore that first, if it is in the bin too.",
            code="refers_to_deleted",
        )
    return refusal
