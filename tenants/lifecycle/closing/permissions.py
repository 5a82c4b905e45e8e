"""What users of a tenant may do about its exit."""

from tenants.access.permissions import permission

READ_CLOSING = permission("closing:read", "See whether the workspace is being closed, and its dates")
CREATE_CLOSING = permission(
    "closing:create", "Close the workspace, which is destroyed in the end",
    people_only=True, step_up=True, always=True,
)  # fmt: skip
EDIT_CLOSING = permission(
    "closing:edit", "Extend the exit of the workspace, or cancel it", people_only=True, always=True
)
