"""What a caller may be allowed with the people of the tenant."""

from tenants.access.permissions import permission

READ_USERS = permission("users:read", "See who works here")
CREATE_USERS = permission("users:create", "Add users")
EDIT_USERS = permission("users:edit", "Change users and their roles")
READ_TEAMS = permission("teams:read", "See the teams")
CREATE_TEAMS = permission("teams:create", "Add teams")
EDIT_TEAMS = permission("teams:edit", "Change teams")
