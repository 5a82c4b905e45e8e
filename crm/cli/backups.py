"""`freehold backup …`: backups of the whole installation, and how it comes back from one."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crm.cli import options
from crm.cli.opening import opened
from crm.cli.refusals import Refused

if TYPE_CHECKING:
    from tenants.catalog.registry import Catalog
    from tenants.foundation.settings import Settings
    from tenants.lifecycle.backups.store import Store


@click.group(short_help="Backups of everything, and the way back.")
def backup() -> None:
    """Backups of the catalog and of every tenant of every cell, encrypted under the key of their day.

    They go to FREEHOLD_BACKUPS, what is of tenants that chose a region to FREEHOLD_REGION_BACKUPS; the keys are in
    FREEHOLD_KEYRING, and in no backup.
    """


@backup.command("create", short_help="Take a backup.")
@options.data_dir
@options.as_json
def create(data_dir: Path, *, as_json: bool) -> None:
    """Take a backup while everybody works, read it back, and only then list it. Status 1 when a tenant is not in it."""
    from crm.app import storage_of
    from crm.cli.progress import shown_progress
    from tenants.lifecycle.backups.taking import Taking

    settings, catalog, store = _opened(data_dir)
    storage = storage_of(settings, catalog)
    with shown_progress() as tell:
        taken = Taking(store, catalog, settings.catalog_database_url, storage, tell).take()
    page = taken.page
    options.answer(
        {
            "backup": page.id,
            "tenants": page.tenants,
            "rows": page.rows,
            "files": page.files,
            "size": page.size,
            "key_destroyed_on": page.key_destroyed_on,
            "left_out": dict(taken.left_out),
        },
        as_json=as_json,
    )
    if taken.left_out:
        raise Refused(f"{len(taken.left_out)} tenants are not in it; mend them and take another.")


@backup.command("list", short_help="Every backup, and until when it can be read.")
@options.data_dir
@options.as_json
def list_backups(data_dir: Path, *, as_json: bool) -> None:
    """List the finished backups, oldest first. One whose key was destroyed opens no more, and it says so."""
    import json

    store = _to_read(data_dir)
    living = {each.day.isoformat(): each for each in store.keyring.dated()}
    found = [{**asdict(page), "readable": page.key_day in living} for page in store.pages()]
    if as_json:
        click.echo(json.dumps({"backups": found}))
        return
    for each in found:
        until = f"readable until {each['key_destroyed_on']}" if each["readable"] else "its key was destroyed"
        said = f"{each['tenants']} tenants, {each['rows']} rows, {each['files']} files"
        click.echo(f"{each['id']}  {said}, {until}")
    if not found:
        click.echo("There is no backup yet: freehold backup create.")


@backup.command("verify", short_help="Read a backup from its first byte to its last.")
@click.argument("backup_id", metavar="[BACKUP]", required=False)
@options.data_dir
@options.as_json
@click.option("--region", help="Only the tenants whose backups lie in the place of this region.")
def verify(backup_id: str | None, data_dir: Path, region: str | None, *, as_json: bool) -> None:
    """Open every file of BACKUP (the newest, when none is named), check its seal, rows, relations and hashes.

    Needs no database. Status 1 names what is not sound.
    """
    from crm.cli.progress import shown_progress
    from tenants.lifecycle.backups.checking import check

    store = _to_read(data_dir)
    wanted = backup_id or store.newest().id
    with shown_progress() as tell:
        found = check(store, wanted, tell, region)
    options.answer({"holds": True, "backup": wanted, **found}, as_json=as_json)


@backup.command("restore", short_help="Bring a backup into an empty installation.")
@click.argument("backup_id", metavar="[BACKUP]", required=False)
@options.data_dir
@options.as_json
@click.option(
    "--adopt",
    is_flag=True,
    help="Make the places this installation's that are another one's, which writes there no more.",
)
def restore(backup_id: str | None, data_dir: Path, *, as_json: bool, adopt: bool) -> None:
    """Bring BACKUP (the newest, when none is named) into an installation that is empty, and replay what was erased since.

    The places of the installation that it comes from are taken with --adopt alone: say it when that one is gone for
    good. Web, workers and scheduler refuse to start until the restore has ended. Where no server is named and none
    runs, the embedded ones are started for it. Run it again if it was stopped.
    """
    from crm.cli.ground import ground_for
    from crm.cli.progress import shown_progress
    from crm.schedule import restoring_of
    from tenants.foundation.settings import Settings
    from tenants.provisioning.migrating import migrate_catalog

    with ground_for(data_dir.absolute()):
        settings = Settings.read(data_dir)
        if settings.owner_database_url is None:
            raise Refused("FREEHOLD_OWNER_DATABASE_URL is not set; `freehold bootstrap` makes that login.")
        migrate_catalog(settings.owner_database_url)
        _, catalog, store = _opened(data_dir)
        with shown_progress() as tell:
            wanted = backup_id or store.newest().id
            restored = restoring_of(settings, catalog, tell).restore(wanted, adopt=adopt)
    options.answer(
        {
            "restored": restored.page.id,
            "as_of": restored.page.taken_at,
            "tenants": restored.page.tenants,
            "rows": restored.page.rows,
            "files_brought_back": restored.files,
            "destroyed_again": restored.replayed.tenants,
            "erased_again": restored.replayed.records,
            "shut_out_again": restored.replayed.credentials,
            "newer_archives": restored.newer_archives,
        },
        as_json=as_json,
    )


@backup.command("drill", short_help="Try a backup out, on a server of its own.")
@click.argument("backup_id", metavar="[BACKUP]", required=False)
@options.data_dir
@options.as_json
@click.option("--region", help="Only the tenants whose backups lie in the place of this region.")
def drill(backup_id: str | None, data_dir: Path, region: str | None, *, as_json: bool) -> None:
    """Restore BACKUP (the newest, when none is named) into a scratch database, compare it, replay, and remove it all.

    Every table is compared with what the source had when the backup was taken. Status 1 when something is not equal.
    """
    import json

    from crm.cli.drilling import drilled, shown

    settings, _, store = _opened(data_dir)
    wanted = backup_id or store.newest().id
    found = drilled(settings, wanted, settings.data_dir.absolute() / "drill", region)
    if as_json:
        click.echo(json.dumps(found.said()))
    else:
        shown(found)
    if not found.equal:
        raise Refused("What came back is not what was put away.")


@backup.command("prune", short_help="Destroy the keys that are due, and what they opened.")
@options.data_dir
@options.as_json
def prune(data_dir: Path, *, as_json: bool) -> None:
    """Destroy dated keys whose day has come, remove backups that nothing opens, and what killed attempts left.

    The scheduler does the same once an hour.
    """
    from tenants.audit.ledger import ledger
    from tenants.lifecycle.backups.pruning import prune as prune_all

    _, _, store = _opened(data_dir)
    options.answer(asdict(prune_all(store, ledger())), as_json=as_json)


def _opened(data_dir: Path) -> "tuple[Settings, Catalog, Store]":
    """The settings, the catalog with doors and keys open, and the backups."""
    from tenants.lifecycle.backups.opening import backups

    settings, catalog = opened(data_dir)
    return settings, catalog, backups()


def _to_read(data_dir: Path) -> "Store":
    """The backups alone, for when there is no database to ask."""
    from crm.app import wrapping_of
    from tenants.catalog.registry import Catalog
    from tenants.foundation.settings import Settings
    from tenants.lifecycle.backups.opening import backups_to_read

    settings = Settings.read(data_dir)
    catalog = Catalog(settings.catalog_database_url)
    return backups_to_read(settings, catalog, wrapping_of(settings, catalog))
