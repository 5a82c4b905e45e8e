"""What users of a tenant may do about its archives."""

from tenants.access.permissions import permission

READ_ARCHIVES = permission("archives:read", "See when the workspace was archived, and how it came back")
CREATE_ARCHIVES = permission(
    "archives:create", "Archive the whole workspace, until an admin wakes it", people_only=True, step_up=True
)
