"""What a caller may be allowed with the workspace's data keys."""

from tenants.access.permissions import permission

READ_KEYS = permission("keys:read", "See the versions of the data key, and what is being sealed anew")
ROTATE_KEYS = permission("keys:rotate", "Rotate the data key", people_only=True, step_up=True)
BRING_KEYS = permission(
    "keys:bring", "Have a key of one's own wrap the data key, or give that up", people_only=True, step_up=True
)
