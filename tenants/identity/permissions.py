"""What a caller may be allowed with the people of the tenant and their credentials."""

from tenants.access.permissions import permission

READ_USERS = permission("users:read", "See who works here")
CREATE_USERS = permission("users:create", "Add users")
EDIT_USERS = permission("users:edit", "Change users and their roles")
READ_TEAMS = permission("teams:read", "See the teams")
CREATE_TEAMS = permission("teams:create", "Add teams")
EDIT_TEAMS = permission("teams:edit", "Change teams")
READ_ROLES = permission("roles:read", "See the roles and what they allow")
READ_API_KEYS = permission("api-keys:read", "See which API keys there are")
CREATE_API_KEYS = permission("api-keys:create", "Make API keys")
DELETE_API_KEYS = permission("api-keys:delete", "Revoke API keys")
