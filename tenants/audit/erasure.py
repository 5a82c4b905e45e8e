"""Forgets a person's values in the audit; the events stay, and so do the seals over them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, select

from tenants.audit.models import AuditEvent, AuditValues
from tenants.audit.recording import record_event
from tenants.isolation.door import db, here


def erase_values(record_ids: Sequence[UUID]) -> int:
    """Delete every personal value that the audit keeps of these records; how many events had some.

    That it happened is on record itself, without the values.
    """
    here().send_pending()
    events = select(AuditEvent.id).where(AuditEvent.record_id.in_(record_ids))
    gone = (
        db()
        .execute(delete(AuditValues).where(AuditValues.event_id.in_(events)).returning(AuditValues.event_id))
        .all()
    )
    for record_id in record_ids:
        record_event("audit-values.erased", "audit-events", record_id, {"events": [len(gone), 0]})
    return len(gone)
