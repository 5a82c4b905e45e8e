"""Looks at what there is of a tenant while it is put away and comes back."""

from typing import Any

from sqlalchemy import update

from tenants.catalog.states import Mover
from tenants.isolation.files import stored_files
from tenants.isolation.owner import as_owner
from tenants.lifecycle.archives.models import Archive, Step
from tenants.lifecycle.archives.running import Works
from tenants.lifecycle.changing import Decision
from tenants.portability.bundling import snapshot
from tenants.portability.comparing import content_here
from tenants.portability.contents import tables
from tenants.provisioning.birth import Nursery
from tests.workspace import Workspace

WHY = Decision(Mover.OPERATOR, "Nobody works here at the moment.")
#: What a tenant says of its own state, and what is on record about its way, differ when it is back.
TELLS_OF_THE_WAY = {
    "tenant_profile",
    "audit_events",
    "audit_values",
    "audit_seals",
    "audit_seal_members",
    "audit_signing_keys",
}


def content(tenant: Workspace) -> dict[str, str]:
    with snapshot(tenant.home):
        return content_here(these=tables(whole=True))


def steps_left(works: Works, archive_id: Any) -> Step:
    with works.catalog.transaction() as session:
        session.execute(update(Archive).where(Archive.id == archive_id).values(lease_until=None))
        return Step(session.get_one(Archive, archive_id).step)


def has_schema(nursery: Nursery, tenant: Workspace) -> bool:
    with as_owner(nursery.owner_urls["main"]) as connection:
        found = connection.execute("select 1 from pg_namespace where nspname = %s", [tenant.home.role])
        return found.fetchone() is not None


def may_write(nursery: Nursery, tenant: Workspace) -> bool:
    """Whether the tenant's own role may enter a contact."""
    asked = "select has_table_privilege(%(role)s::text, %(role)s::text || '.contacts', 'insert')"
    with as_owner(nursery.owner_urls["main"]) as connection:
        (may,) = connection.execute(asked, {"role": tenant.home.role}).fetchone() or (False,)
        return bool(may)


def bundles_of(tenant: Workspace) -> list[str]:
    return [each for each in stored_files(tenant.home.id).list() if each.startswith("archives/")]
