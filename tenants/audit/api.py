"""The audit over HTTP: it can be read, and nothing else."""

from uuid import UUID

from tenants.audit.permissions import READ_AUDIT_EVENTS
from tenants.audit.schemas import AUDIT_EVENTS
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.selection import Selection

audit_events = Blueprint("audit-events", __name__, url_prefix="/audit-events", purpose=Purpose.SECURITY)


@audit_events.page("", AUDIT_EVENTS, may=READ_AUDIT_EVENTS)
def list_audit_events() -> Selection:
    """What happened, newest first; `include=personal` adds the personal values that were not erased."""
    return Selection(AUDIT_EVENTS)


@audit_events.one("/<uuid:event_id>", AUDIT_EVENTS, may=READ_AUDIT_EVENTS)
def get_audit_event(event_id: UUID) -> Selection:
    """One event."""
    return Selection(AUDIT_EVENTS, {"id": event_id}, single=True)
