"""What a tenant's admin was told by mail."""

from sqlalchemy import select

from tenants.identity.models import TenantProfile
from tenants.isolation.door import db, inside
from tests.mails import posted
from tests.workspace import Workspace


def subjects(tenant: Workspace) -> list[str]:
    """The subjects of the unsent mails to its first admin, oldest first. Nobody uses the tenant to find that out."""
    with inside(tenant.home):
        slug = db().scalars(select(TenantProfile.slug)).one()
    return [each.subject for each in posted(tenant, f"ada@{slug}.test")]
