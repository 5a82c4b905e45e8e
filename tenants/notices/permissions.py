"""What a caller may be allowed with the notices to the tenant's admins."""

from tenants.access.permissions import permission

READ_NOTICES = permission("notices:read", "See what the admins were told")
MARK_NOTICES = permission("notices:mark", "Mark notices as read for oneself", always=True)
