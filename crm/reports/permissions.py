"""What a caller may be allowed with reports."""

from tenants.access.permissions import permission

READ_REPORTS = permission("reports:read", "See figures over the records within one's reach")
