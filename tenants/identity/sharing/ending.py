"""Shares end with their record, and are forgotten when their time is over."""

from typing import Any

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from tenants.access.policy import resource_of
from tenants.foundation.clock import now
from tenants.foundation.tables import Base, Owned
from tenants.identity.models import RecordShare
from tenants.isolation.door import TenantSession, db

AT_ONCE = 500


def end_with_records() -> None:
    """Say once, at start-up and before changes are recorded, that shares go when their record goes."""
    if not event.contains(TenantSession, "before_flush", _end_shares):
        event.listen(TenantSession, "before_flush", _end_shares)


def forget_expired() -> int:
    """Delete shares whose end is over; how many there were."""
    over = select(RecordShare).where(RecordShare.expires_at <= now()).limit(AT_ONCE)
    gone = 0
    while found := db().scalars(over.with_for_update(skip_locked=True)).all():
        for share in found:
            db().delete(share)
        db().flush()
        gone += len(found)
    return gone


def _end_shares(session: Session, _context: object, _instances: object) -> None:
    ending: dict[str, list[Any]] = {}
    for each in session.deleted:
        if isinstance(each, Base) and isinstance(each, Owned):
            ending.setdefault(resource_of(type(each)), []).append(each.id)  # type: ignore[attr-defined]
    for resource, record_ids in ending.items():
        same = (RecordShare.resource == resource, RecordShare.record_id.in_(record_ids))
        for share in session.scalars(select(RecordShare).where(*same)):
            session.delete(share)
