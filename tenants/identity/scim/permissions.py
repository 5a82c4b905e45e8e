"""What a directory may be allowed."""

from tenants.access.permissions import permission

PROVISION = permission("scim:provision", "Add, change and deactivate users and teams from a directory (SCIM)")
