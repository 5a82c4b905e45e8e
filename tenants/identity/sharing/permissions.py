"""What a caller may be allowed with shares; to give and take them is `records:share`."""

from tenants.access.permissions import permission

READ_SHARES = permission("record-shares:read", "See with whom the records within one's reach are shared")
