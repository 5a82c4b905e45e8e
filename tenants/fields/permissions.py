"""What a caller may be allowed with the fields that a tenant adds to its records."""

from tenants.access.permissions import permission

READ_FIELDS = permission("fields:read", "See which fields of one's own records have")
CREATE_FIELDS = permission("fields:create", "Add fields to records")
EDIT_FIELDS = permission("fields:edit", "Change and archive fields of one's own")
DELETE_FIELDS = permission("fields:delete", "Delete archived fields with all their values")
