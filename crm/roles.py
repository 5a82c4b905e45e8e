"""The roles a new tenant begins with: admin, manager, sales and read-only."""

from tenants.access.permissions import Reach
from tenants.access.roles import RoleRule

ADMINISTRATION = (
    *("users", "teams", "roles", "api-keys", "audit-events", "exports", "export-schedules", "oauth-clients"),
    *("invitations", "security-overview"),
    *("identity-providers", "claimed-domains", "scim"),
    *("access-grants", "access-visits", "access-log", "lifecycle", "archives", "closing"),
    *("legal-holds", "retention-rules"),
    *("keys", "certificates"),
    *("notices", "webhooks"),
)
SHARED = ("products", "fields", "pipelines", "stages", "number-series")
BOOKKEEPING = ("credit-notes", "payments")
READABLE = ("users", "teams")
#: Whoever asked for a job sees and cancels it; whoever connected an app disconnects it.
PERSONAL = ("jobs", "connected-apps")
#: Beyond the bin there is no way back.
FOR_GOOD = ("purge",)
OWN_WORK = ("create", "edit", "close", "convert", "share")


#: Keys act as who made them: they see and revoke their own, and make one when a role gives that too.
OWN_KEYS = {"api-keys": ("read", "delete")}


def admin(_resource: str, _action: str) -> Reach:
    return Reach.ALL


def manager(resource: str, action: str) -> Reach | None:
    if resource in PERSONAL or action in OWN_KEYS.get(resource, ()):
        return Reach.OWN
    if resource in ADMINISTRATION or action in FOR_GOOD:
        return Reach.ALL if resource in READABLE and action == "read" else None
    if resource in SHARED:
        return Reach.ALL if action == "read" else None
    return Reach.ALL if action == "read" else Reach.TEAM


def sales(resource: str, action: str) -> Reach | None:
    if resource in PERSONAL or action in OWN_KEYS.get(resource, ()):
        return Reach.OWN
    if resource in ADMINISTRATION or resource == "imports":
        return Reach.ALL if resource in READABLE and action == "read" else None
    if resource in SHARED:
        return Reach.ALL if action == "read" else None
    if action == "read":
        return Reach.TEAM
    if resource in BOOKKEEPING:
        return None
    return Reach.OWN if action in OWN_WORK else None


def read_only(resource: str, action: str) -> Reach | None:
    if resource in PERSONAL or action in OWN_KEYS.get(resource, ()):
        return Reach.OWN
    if resource in ADMINISTRATION and resource not in READABLE:
        return None
    return Reach.ALL if action == "read" else None


BUILT_IN: dict[str, RoleRule] = {
    "admin": admin,
    "manager": manager,
    "sales": sales,
    "read-only": read_only,
}
