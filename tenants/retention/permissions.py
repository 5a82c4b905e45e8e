"""What a caller may be allowed with the bin, legal holds and retention rules."""

from tenants.access.permissions import permission

READ_BIN = permission("bin:read", "See what was deleted, of the records within one's reach")
RESTORE = permission("bin:restore", "Restore what one may delete")
PURGE = permission(
    "bin:purge", "Delete for good, before its time, what one may delete", people_only=True, step_up=True
)
READ_HOLDS = permission("legal-holds:read", "See legal holds")
#: An order may arrive while nothing else is changed, in the month before a tenant is destroyed for instance.
PLACE_HOLDS = permission(
    "legal-holds:place", "Put records under a legal hold", people_only=True, step_up=True, always=True
)
RELEASE_HOLDS = permission(
    "legal-holds:release", "End a legal hold", people_only=True, step_up=True, always=True
)
READ_RULES = permission("retention-rules:read", "See how long what is kept")
EDIT_RULES = permission("retention-rules:edit", "Write retention rules and see what they would do")
ENABLE_RULES = permission(
    "retention-rules:enable", "Switch retention rules on and off", people_only=True, step_up=True
)
