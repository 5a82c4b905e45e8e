"""What a caller may be allowed with roles and who has them."""

from tenants.access.permissions import permission

READ_ROLES = permission("roles:read", "See the roles and what they allow")
CREATE_ROLES = permission("roles:create", "Make roles", people_only=True, step_up=True)
EDIT_ROLES = permission("roles:edit", "Change roles", people_only=True, step_up=True)
DELETE_ROLES = permission("roles:delete", "Delete roles that nobody has", people_only=True, step_up=True)
ASSIGN_ROLES = permission("roles:assign", "Give roles to users and teams", people_only=True, step_up=True)
