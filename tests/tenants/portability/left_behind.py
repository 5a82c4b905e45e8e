"""Looks for what is left of a tenant that should have come in, and did not."""

from collections.abc import Sequence

from sqlalchemy import select

from tenants.catalog.models import TenantKey
from tenants.catalog.registry import Home
from tenants.isolation.owner import as_owner
from tenants.provisioning.birth import Nursery


def is_nowhere(nursery: Nursery, slug: str, made: Sequence[Home]) -> None:
    """Neither in the catalog nor in the database, once what was broken off is swept."""
    nursery.sweep()
    assert nursery.catalog.by_slug(slug) is None
    with as_owner(nursery.owner_urls["main"]) as connection:
        roles = connection.execute("select rolname from pg_roles where rolname ~ '^t_'").fetchall()
    with nursery.catalog.transaction() as session:
        kept = set(session.scalars(select(TenantKey.tenant_id)))
    for home in made:
        assert (home.role,) not in roles
        assert home.id not in kept
