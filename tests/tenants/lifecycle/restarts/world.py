"""An installation on servers of its own, whose scheduler and worker are at work while its databases crash."""

import json
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from crm.app import create_app, nursery_of, owners_of
from tenants.catalog.regions import Regions
from tenants.catalog.registry import Catalog
from tenants.foundation.children import Child
from tenants.foundation.errors import Unavailable
from tenants.foundation.servers import EmbeddedServers
from tenants.foundation.settings import CellUrls, Settings, env_name
from tenants.isolation import door
from tenants.isolation.bootstrap import LOGINS, bootstrap
from tenants.isolation.key_file import LocalKeyFile
from tenants.isolation.owner import OwnerError
from tenants.provisioning.birth import Nursery
from tenants.provisioning.migrating import migrate_catalog
from tests.tenants.lifecycle.moves.world import eventually
from tests.workspace import Workspace, make_workspace

PATIENCE_SECONDS = 180.0
AWAY = (Unavailable, OwnerError, SQLAlchemyError, psycopg.Error)
Found = TypeVar("Found")


@dataclass
class World:
    """`servers` are the databases by cell; `crashes` is the folder in which the processes read what is planned."""

    settings: Settings
    servers: dict[str, EmbeddedServers]
    crashes: Path
    app: Flask
    nursery: Nursery
    processes: list[Child] = field(default_factory=list)

    @property
    def catalog(self) -> Catalog:
        made: Catalog = self.app.extensions["house"].catalog
        return made

    @property
    def owners(self) -> dict[str, str | None]:
        return owners_of(self.settings)

    @property
    def regions(self) -> Regions:
        return Regions(self.settings.regions)

    def tenant(self) -> Workspace:
        return make_workspace(self.app, self.nursery, f"t{secrets.token_hex(6)}")

    def crash_at(self, spots: Mapping[str, tuple[str, ...]], whole: Callable[[], None]) -> None:
        """Have the servers of these cells crash at these spots, in whatever order; `whole` looks around after each.

        They are started again first, so that whoever was cut short meets a database that knows nothing of it.
        """
        folders = {name: str(each.postgresql.data) for name, each in self.servers.items()}
        plan = {spot: [folders[cell] for cell in cells] for spot, cells in spots.items()}
        for each in self.crashes.glob("*.reached"):
            each.unlink()
        for each in self.crashes.glob("*.go"):
            each.unlink()
        put(self.crashes / "plan.json", {"spots": plan})
        left = set(spots)
        while left:
            spot = self._reached(left)
            # The kernel says for a moment that it is there still, when it has neither memory nor sockets any more.
            eventually(lambda: any([each.revive() for each in self.servers.values()]))  # noqa: C419 - all of them
            patiently(whole)
            left.discard(spot)
            (self.crashes / f"{spot}.go").touch()

    def _reached(self, left: set[str]) -> str:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            for spot in left:
                if (self.crashes / f"{spot}.reached").exists():
                    return spot
            assert time.monotonic() < deadline, f"nobody comes to {sorted(left)}"
            assert all(each.is_running for each in self.processes), [
                each.last_words(5) for each in self.processes
            ]
            time.sleep(0.02)


def put(file: Path, content: Any) -> None:
    """Whole or not at all: another process reads it."""
    draft = file.with_suffix(".new")
    draft.write_text(json.dumps(content))
    draft.replace(file)


def patiently(act: Callable[[], Found]) -> Found:
    """What this does once the connections that a crash has ended are let go of."""
    for cells in (*door._cells, *door._staff_cells):
        cells.dispose()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with suppress(*AWAY):
            return act()
        time.sleep(0.05)
    return act()


@contextmanager
def own_servers(folder: Path) -> Iterator[dict[str, EmbeddedServers]]:
    with (
        EmbeddedServers(folder / "main", fsync=False) as main,
        EmbeddedServers(folder / "second", redis=False, fsync=False) as second,
    ):
        for each in (main, second):
            keep_what_is_committed(each)
        yield {"main": main, "second": second}


def keep_what_is_committed(servers: EmbeddedServers) -> None:
    """Without fsync a crash of the machine costs data; a crash of the server must cost none, as it is in production."""
    with psycopg.connect(servers.admin_url, autocommit=True) as admin:
        for name in ("synchronous_commit", "full_page_writes"):
            admin.execute(f"alter system set {name} = on".encode())
        admin.execute("select pg_reload_conf()")


def settings_of(servers: Mapping[str, EmbeddedServers], folder: Path, storage: str) -> Settings:
    """Two cells of one region, with a catalog in the first."""
    main, second = (
        bootstrap(each.admin_url, {login: secrets.token_hex(16) for login in LOGINS})
        for each in servers.values()
    )
    migrate_catalog(main.owner)
    LocalKeyFile.made_if_missing(folder / "key")
    return Settings(
        data_dir=folder,
        key_file=folder / "key",
        storage=storage,
        database_url=main.app,
        catalog_database_url=main.catalog,
        staff_database_url=main.staff,
        owner_database_url=main.owner,
        cells={"second": CellUrls(app=second.app, staff=second.staff, owner=second.owner)},
        redis_url=servers["main"].redis_url,
        outbound_allow_loopback=True,
        job_lease_seconds=3,
        requests_per_minute_tenant=1_000_000,
        requests_per_minute_caller=1_000_000,
    )


@contextmanager
def at_work(settings: Settings, crashes: Path, functions: list[str]) -> Iterator[list[Child]]:
    """One worker and one scheduler."""
    put(crashes / "functions.json", functions)
    cells = {name: each.model_dump(mode="json", exclude_none=True) for name, each in settings.cells.items()}
    values = settings.model_dump(exclude={"cells", "data_dir", "region_storage", "region_backups"})
    given = {env_name(name): str(value) for name, value in values.items() if value is not None}
    environment = {
        **os.environ,
        **given,
        "FREEHOLD_CELLS": json.dumps(cells),
        "FREEHOLD_DATA_DIR": str(settings.data_dir),
    }
    made = [
        Child(
            part,
            [sys.executable, "-m", "tests.restarting", part, str(crashes)],
            log=crashes / f"{part}.log",
            environment=environment,
        )
        for part in ("scheduler", "worker")
    ]
    for each in made:
        each.start()
    try:
        yield made
    finally:
        for each in made:
            each.stop(10)


def opened(settings: Settings) -> tuple[Flask, Nursery]:
    """The application in this process, which has all doors to these servers from now on."""
    app = create_app(settings)
    return app, nursery_of(settings, app.extensions["house"].catalog, as_owner=True)
