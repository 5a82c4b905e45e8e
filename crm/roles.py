"""The roles a new tenant begins with: admin, manager, sales and read-only."""

from tenants.access.permissions import Reach
from tenants.access.roles import role

ADMINISTRATION = ("users", "teams", "roles", "api-keys", "audit-events", "exports", "jobs")
SHARED = ("products", "pipelines", "stages")
READABLE = ("users", "teams")
OWN_WORK = ("create", "edit", "close", "convert")


@role("admin")
def admin(_resource: str, _action: str) -> Reach:
    return Reach.ALL


@role("manager")
def manager(resource: str, action: str) -> Reach | None:
    if resource in ADMINISTRATION:
        return Reach.ALL if resource in READABLE and action == "read" else None
    if resource in SHARED:
        return Reach.ALL if action == "read" else None
    return Reach.ALL if action == "read" else Reach.TEAM


@role("sales")
def sales(resource: str, action: str) -> Reach | None:
    if resource in ADMINISTRATION or resource == "imports":
        return Reach.ALL if resource in READABLE and action == "read" else None
    if resource in SHARED:
        return Reach.ALL if action == "read" else None
    if action == "read":
        return Reach.TEAM
    return Reach.OWN if action in OWN_WORK else None


@role("read-only")
def read_only(resource: str, action: str) -> Reach | None:
    if resource in ADMINISTRATION and resource not in READABLE:
        return None
    return Reach.ALL if action == "read" else None
