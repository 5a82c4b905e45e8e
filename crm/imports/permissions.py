"""What a caller may be allowed with imports."""

from tenants.access.permissions import permission

READ_IMPORTS = permission("imports:read", "See imports and the rows they rejected")
CREATE_IMPORTS = permission("imports:create", "Import files")
DELETE_IMPORTS = permission("imports:delete", "Cancel imports")
