"""What a caller may be allowed with roles."""

from tenants.access.permissions import permission

READ_ROLES = permission("roles:read", "See the roles and what they allow")
