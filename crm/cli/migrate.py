"""`freehold migrate`: the catalog and every tenant at the newest revision."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crm.cli import options
from crm.cli.opening import catalog_of
from crm.cli.progress import shown_progress
from crm.cli.refusals import Refused

if TYPE_CHECKING:
    from tenants.foundation.settings import Settings
    from tenants.provisioning.migrating import Outcome


@click.command(short_help="Catalog and tenants to the newest revision.")
@options.data_dir
@options.as_json
def migrate(data_dir: Path, *, as_json: bool) -> None:
    """Bring the catalog and every tenant to the newest revision; run it again to take up what failed."""
    from tenants.foundation.settings import Settings

    with shown_progress() as tell:
        outcome = migrate_all(Settings.read(data_dir), lambda done, total: tell("Tenants", done, total))
    failed = {str(tenant): reason for tenant, reason in outcome.failed.items()}
    options.answer(
        {"migrated": outcome.migrated, "up_to_date": outcome.skipped, "failed": failed}, as_json=as_json
    )
    if failed:
        raise Refused(f"{len(failed)} tenants failed and are fenced; mend the cause and run it again.")


def migrate_all(
    settings: "Settings", progress: "Callable[[int, int], None]" = lambda _done, _total: None
) -> "Outcome":
    """Migrate the catalog, make the key file of a new database, then migrate the tenants."""
    import crm.app  # a tenant's rights are granted on every table there is
    from tenants.lifecycle.keys.rewrapping import prepare_key, store_look_ups
    from tenants.provisioning.migrating import migrate_catalog, migrate_tenants

    if settings.owner_database_url is None:
        raise Refused("FREEHOLD_OWNER_DATABASE_URL is not set; `freehold bootstrap` makes that login.")
    migrate_catalog(settings.owner_database_url)
    with catalog_of(settings) as catalog:
        prepare_key(settings.key_wrapper, catalog, new=settings.former_key_wrapper is not None)
        store_look_ups(catalog, crm.app.wrapping_of(settings, catalog))
        return migrate_tenants(catalog, crm.app.owners_of(settings), progress)
