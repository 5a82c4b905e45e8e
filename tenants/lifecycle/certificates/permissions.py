"""What a caller may be allowed with certificates of destruction."""

from tenants.access.permissions import permission

READ_CERTIFICATES = permission("certificates:read", "See signed certificates of what was destroyed")
