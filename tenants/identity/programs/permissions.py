"""What a caller may be allowed with the tenant's API keys."""

from tenants.access.permissions import permission

READ_API_KEYS = permission("api-keys:read", "See which API keys there are")
CREATE_API_KEYS = permission("api-keys:create", "Make API keys", people_only=True, step_up=True)
DELETE_API_KEYS = permission("api-keys:delete", "Revoke API keys", people_only=True, always=True)
