"""What a caller may be allowed with the tenant's webhooks."""

from tenants.access.permissions import permission

READ_WEBHOOKS = permission("webhooks:read", "See webhooks, and what was sent to them")
CREATE_WEBHOOKS = permission("webhooks:create", "Have webhooks told", people_only=True, step_up=True)
EDIT_WEBHOOKS = permission(
    "webhooks:edit", "Change webhooks, and rotate their secrets", people_only=True, step_up=True
)
TRY_WEBHOOKS = permission("webhooks:try", "Send to webhooks once more, or for a test")
DELETE_WEBHOOKS = permission("webhooks:delete", "Remove webhooks", people_only=True, always=True)
