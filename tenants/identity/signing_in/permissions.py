"""What a caller may be allowed with how others sign in."""

from tenants.access.permissions import permission

READ_RULES = permission("sign-in-rules:read", "See how people have to sign in, and who lacks a second factor")
EDIT_RULES = permission(
    "sign-in-rules:edit", "Decide how people have to sign in", people_only=True, step_up=True
)
RESET_FACTORS = permission(
    "users:reset-factors", "Take away somebody's second factors", people_only=True, step_up=True
)
