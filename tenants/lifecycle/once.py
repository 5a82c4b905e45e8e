"""What befalls a tenant as a whole is put on record once, however often it is tried: by the request that is its name."""

from uuid import UUID

from sqlalchemy import select

from tenants.audit.models import AuditEvent
from tenants.isolation.door import db


def is_on_record(tenant_id: UUID, request_id: str) -> bool:
    """Whether an event of this request is on the record of the tenant at hand."""
    same = (AuditEvent.record_id == tenant_id, AuditEvent.request_id == request_id)
    return db().scalar(select(AuditEvent.id).where(*same).limit(1)) is not None
