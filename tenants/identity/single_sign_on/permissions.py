"""What a caller may be allowed with single sign-on."""

from tenants.access.permissions import permission

READ_PROVIDERS = permission("identity-providers:read", "See where people sign in elsewhere")
CREATE_PROVIDERS = permission(
    "identity-providers:create", "Let people sign in elsewhere", people_only=True, step_up=True
)
EDIT_PROVIDERS = permission(
    "identity-providers:edit", "Change how people sign in elsewhere", people_only=True, step_up=True
)
DELETE_PROVIDERS = permission(
    "identity-providers:delete", "End signing in elsewhere", people_only=True, step_up=True
)
READ_DOMAINS = permission("claimed-domains:read", "See which e-mail domains are the tenant's")
CREATE_DOMAINS = permission(
    "claimed-domains:create", "Claim an e-mail domain", people_only=True, step_up=True
)
EDIT_DOMAINS = permission(
    "claimed-domains:edit", "Prove that a claimed domain is the tenant's", people_only=True, step_up=True
)
DELETE_DOMAINS = permission(
    "claimed-domains:delete", "Give up a claimed domain", people_only=True, step_up=True
)
