"""What a caller may be allowed with the people of the tenant."""

from tenants.access.permissions import permission

READ_USERS = permission("users:read", "See who works here")
CREATE_USERS = permission("users:create", "Add users")
EDIT_USERS = permission("users:edit", "Change users")
READDRESS_USERS = permission(
    "users:readdress", "Change the address that a user signs in with", people_only=True, step_up=True
)
DEACTIVATE_USERS = permission(
    "users:deactivate", "Deactivate users, hand over what they own, and let them back in",
    people_only=True, step_up=True,
)  # fmt: skip
READ_INVITATIONS = permission("invitations:read", "See who was invited")
CREATE_INVITATIONS = permission(
    "invitations:create", "Invite people, with roles and teams", people_only=True, step_up=True
)
DELETE_INVITATIONS = permission("invitations:delete", "Withdraw invitations")
READ_TEAMS = permission("teams:read", "See the teams")
CREATE_TEAMS = permission("teams:create", "Add teams")
EDIT_TEAMS = permission("teams:edit", "Change and move teams, and say who is in them")
DELETE_TEAMS = permission("teams:delete", "Delete empty teams")
READ_SECURITY = permission("security-overview:read", "See how well the workspace is protected")
NAME_CONTACT = permission(
    "security-overview:contact", "Say whom to write to besides the admins", people_only=True, step_up=True
)
REVIEW_USERS = permission(
    "security-overview:review", "Say that one has looked through who may do what", people_only=True
)
