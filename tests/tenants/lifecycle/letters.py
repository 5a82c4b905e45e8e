"""What a tenant's admin was told by mail."""

from tests.mails import posted
from tests.workspace import Workspace


def subjects(tenant: Workspace) -> list[str]:
    """The subjects of the unsent mails to its first admin, oldest first."""
    slug = tenant.admin.get("/me").json["tenant"]["slug"]
    return [each.subject for each in posted(tenant, f"ada@{slug}.test")]
