"""A drill: a backup is restored on a PostgreSQL of its own that nobody else uses, looked at, and removed again."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tenants.foundation.settings import CellUrls, Settings
from tenants.lifecycle.backups.restoring import CameBackUnequal, Compared, Restored

#: Nothing listens there: what a drill does is announced to nobody.
NO_REDIS = "redis://127.0.0.1:1/0"


@dataclass(frozen=True)
class Line:
    """One table over all tenants: in how many it is, its rows, and in how many it came back equal."""

    table: str
    tenants: int
    rows: int
    equal: int


@dataclass(frozen=True)
class Drill:
    """What a drill found."""

    backup: str
    equal: bool
    lines: tuple[Line, ...]
    replayed: dict[str, int]

    def said(self) -> dict[str, Any]:
        return asdict(self)


def drilled(settings: Settings, backup: str, folder: Path, region: str | None = None) -> Drill:
    """Restore a backup, or what lies in a region's place, below a folder that is gone afterwards.

    Raises as `Restoring.restore` does.
    """
    from crm.app import open_house
    from crm.cli.progress import shown_progress
    from crm.schedule import restoring_of
    from tenants.provisioning.migrating import migrate_catalog

    with _scratch(settings, folder) as scratch, shown_progress() as tell:
        migrate_catalog(str(scratch.owner_database_url))
        catalog = open_house(scratch).catalog
        try:
            found = restoring_of(scratch, catalog, tell, for_trial=True).restore(backup, region)
        except CameBackUnequal as unequal:
            found = unequal.restored
        finally:
            catalog.engine.dispose()
    return _summed(found)


@contextmanager
def _scratch(settings: Settings, folder: Path) -> Iterator[Settings]:
    """The same settings on servers and storage of their own; backups, keys and ledger are only read."""
    from crm.cli.ground import bootstrap_with
    from tenants.foundation.servers import EmbeddedServers

    if folder.exists():
        # Of a drill that was killed: its server may still run.
        with EmbeddedServers(folder, redis=False, fsync=False):
            pass
        shutil.rmtree(folder)
    try:
        with EmbeddedServers(folder, redis=False, fsync=False) as servers:
            urls = bootstrap_with(servers.admin_url, folder)
            app, staff, owner = (
                urls[name].replace("postgresql://", "postgresql+psycopg://", 1)
                for name in ("DATABASE_URL", "FREEHOLD_STAFF_DATABASE_URL", "FREEHOLD_OWNER_DATABASE_URL")
            )
            catalog = urls["FREEHOLD_CATALOG_DATABASE_URL"].replace(
                "postgresql://", "postgresql+psycopg://", 1
            )
            cells = {
                name: CellUrls(app=app, staff=staff, owner=owner, region=each.region)
                for name, each in settings.cells.items()
            }
            yield settings.model_copy(
                update={
                    "database_url": app,
                    "staff_database_url": staff,
                    "owner_database_url": owner,
                    "catalog_database_url": catalog,
                    "cells": cells,
                    "redis_url": NO_REDIS,
                    "storage": (folder / "storage" / "main").as_uri(),
                    "storage_kms_key": None,
                    "region_storage": {
                        region: (folder / "storage" / "of" / region).as_uri()
                        for region in settings.region_storage
                    },
                }
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def shown(found: Drill) -> None:
    """The report for a terminal, as wide as it is."""
    from rich.console import Console
    from rich.table import Table

    table = Table("table", title=f"Backup {found.backup}", box=None, title_justify="left")
    for name in ("tenants", "rows", "equal"):
        table.add_column(name, justify="right")
    for line in found.lines:
        mark = "✓" if line.equal == line.tenants else f"✗ {line.tenants - line.equal} differ"
        table.add_row(line.table, str(line.tenants), str(line.rows), mark)
    console = Console()
    console.print(table)
    again = f"{found.replayed['tenants']} tenants and {found.replayed['records']} records"
    console.print(f"Replayed from the ledger: {again}. Nothing is left of the drill.")


def _summed(restored: Restored) -> Drill:
    tables: dict[str, list[Compared]] = {}
    for each in restored.compared:
        name = f"catalog.{each.table}" if each.owner == "the catalog" else each.table
        tables.setdefault(name, []).append(each)
    lines = tuple(
        Line(name, len(each), sum(one.rows for one in each), sum(one.equal for one in each))
        for name, each in tables.items()
    )
    return Drill(restored.page.id, restored.equal, lines, restored.replayed.said())
