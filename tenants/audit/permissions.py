"""What a caller may be allowed with the audit."""

from tenants.access.permissions import permission

READ_AUDIT_EVENTS = permission("audit-events:read", "See who did what")
