"""What users of a tenant may do about our people's access to it."""

from tenants.access.permissions import permission

READ_GRANTS = permission("access-grants:read", "See who of our staff asked for access, and what became of it")
DECIDE_GRANTS = permission(
    "access-grants:decide", "Approve, narrow, refuse, revoke, and invite staff",
    people_only=True, step_up=True, always=True,
)  # fmt: skip
READ_VISITS = permission("access-visits:read", "See our staff's visits and their signed receipts")
READ_LOG = permission("access-log:read", "See every record that our staff looked at")
