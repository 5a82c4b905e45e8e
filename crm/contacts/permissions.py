"""What a caller may be allowed with companies and contacts."""

from tenants.access.permissions import permission

READ_COMPANIES = permission("companies:read", "See companies")
CREATE_COMPANIES = permission("companies:create", "Add companies")
EDIT_COMPANIES = permission("companies:edit", "Change companies")
DELETE_COMPANIES = permission("companies:delete", "Delete companies")
READ_CONTACTS = permission("contacts:read", "See contacts")
CREATE_CONTACTS = permission("contacts:create", "Add contacts")
EDIT_CONTACTS = permission("contacts:edit", "Change contacts")
DELETE_CONTACTS = permission("contacts:delete", "Delete contacts")
