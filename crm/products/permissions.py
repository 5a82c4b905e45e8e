"""What a caller may be allowed with products."""

from tenants.access.permissions import permission

READ_PRODUCTS = permission("products:read", "See products")
CREATE_PRODUCTS = permission("products:create", "Add products")
EDIT_PRODUCTS = permission("products:edit", "Change products")
DELETE_PRODUCTS = permission("products:delete", "Delete products")
