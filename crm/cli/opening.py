"""What commands open before they do anything: settings, catalog, and the tenant that they name."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from crm.cli.refusals import Refused

if TYPE_CHECKING:
    from tenants.catalog.registry import Catalog, Home
    from tenants.foundation.settings import Settings
    from tenants.provisioning.birth import Nursery


def opened(data_dir: Path) -> "tuple[Settings, Catalog]":
    """The settings, and the catalog with doors and keys open."""
    from crm.app import open_house
    from tenants.foundation.settings import Settings

    settings = Settings.read(data_dir)
    return settings, open_house(settings).catalog


@contextmanager
def catalog_of(settings: "Settings") -> Iterator["Catalog"]:
    """The catalog alone while the block lasts: no door and no key is opened."""
    from tenants.catalog.registry import Catalog

    catalog = Catalog(settings.catalog_database_url)
    try:
        yield catalog
    finally:
        catalog.engine.dispose()


def opened_nursery(data_dir: Path) -> "Nursery":
    """Where tenants are made, with the owner's URL where there is one."""
    from crm.app import nursery_of

    settings, catalog = opened(data_dir)
    return nursery_of(settings, catalog, as_owner=True)


def living_tenant(catalog: "Catalog", slug: str) -> "Home":
    """A tenant that has a schema. Raises Refused."""
    home = catalog.by_slug(slug)
    if home is None:
        away = tenant_of(catalog, slug)
        raise Refused(f"The tenant '{slug}' is {away.state.value}: nothing of it can be read or changed now.")
    return home


def tenant_of(catalog: "Catalog", slug: str) -> "Home":
    """A tenant wherever it is, also one that is put away. Raises Refused."""
    from sqlalchemy import select

    from tenants.catalog.models import Tenant
    from tenants.catalog.registry import PLACE, home_of

    with catalog.transaction() as session:
        found = session.execute(select(*PLACE).where(Tenant.slug == slug)).one_or_none()
    if found is None:
        raise no_tenant(slug)
    return home_of(found)


def no_tenant(slug: str) -> Refused:
    return Refused(f"There is no tenant '{slug}'.")
