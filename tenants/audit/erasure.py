"""Forgets a person's values in the audit; the events stay, and so do the seals over them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, select

from tenants.access.removal import must_be_removable
from tenants.audit.ledger import Ending
from tenants.audit.models import AuditEvent, AuditValues
from tenants.audit.noting import note_later
from tenants.audit.recording import record_event
from tenants.isolation.door import db, here


def erase_values(record_ids: Sequence[UUID]) -> int:
    """Delete every personal value that the audit keeps of these records; how many events had some.

    That it happened is on record itself, without the values. Raises Conflict when one of the records has to be kept.
    """
    must_be_removable(None, record_ids)
    gone = forget_values(record_ids)
    note_later(Ending.VALUES, "audit-values", record_ids)
    for record_id in record_ids:
        record_event("audit-values.erased", "audit-events", record_id, {"events": [gone, 0]})
    return gone


def forget_values(record_ids: Sequence[UUID]) -> int:
    """The same without asking and without an event, for who asked and says in an event of their own what went."""
    here().send_pending()
    events = select(AuditEvent.id).where(AuditEvent.record_id.in_(record_ids))
    gone = delete(AuditValues).where(AuditValues.event_id.in_(events)).returning(AuditValues.event_id)
    return len(db().execute(gone).all())
