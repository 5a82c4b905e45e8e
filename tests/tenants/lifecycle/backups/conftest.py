"""Backups of the session's installation, and other installations that they are brought into."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import ColumnElement, make_url, select, update

from crm.schedule import backups_of
from tenants.audit.ledger import Ledger
from tenants.catalog.models import State, Tenant
from tenants.catalog.registry import Catalog
from tenants.foundation.servers import EmbeddedServers
from tenants.foundation.settings import Settings
from tenants.isolation.bootstrap import LOGINS, Logins, bootstrap
from tenants.isolation.folder import Folder
from tenants.isolation.storage import storage_from
from tenants.lifecycle.backups.keyring import Keyring
from tenants.lifecycle.backups.store import INDEX, Page, Store
from tenants.lifecycle.backups.taking import Taken, Taking
from tenants.lifecycle.keys.versions import key_versions
from tests.workspace import Workspace


@dataclass
class Elsewhere:
    """An installation on a server of its own, with the same backups, keyring and key of keys; commands run there."""

    settings: Settings
    logins: Logins
    admin_url: str
    folder: Path
    changes: dict[str, str] = field(default_factory=dict)
    program: str = "crm.cli"

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", self.program, *words, "--data-dir", str(self.folder)]
        return subprocess.run(
            command, env=self.environment(), capture_output=True, text=True, check=False, timeout=250
        )

    def told(self, *words: str) -> Any:
        """What a command that succeeds says as JSON."""
        done = self.run(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def rows(self, statement: str, *values: object, schema: str = "catalog") -> list[tuple[Any, ...]]:
        with psycopg.connect(self.admin_url, options=f"-c search_path={schema}") as connection:
            return connection.execute(statement.encode(), values).fetchall()

    def environment(self) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("FREEHOLD_")}
        return {
            **ours,
            "DATABASE_URL": self.logins.app,
            "FREEHOLD_CATALOG_DATABASE_URL": self.logins.catalog,
            "FREEHOLD_STAFF_DATABASE_URL": self.logins.staff,
            "FREEHOLD_OWNER_DATABASE_URL": self.logins.owner,
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "FREEHOLD_STORAGE": (self.folder / "storage").as_uri(),
            "FREEHOLD_BACKUPS": self.settings.backups,
            "FREEHOLD_KEYRING": self.settings.keyring,
            "FREEHOLD_KEY_FILE": str(self.settings.key_file),
            **self.changes,
        }


@pytest.fixture(scope="session")
def other_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServers]:
    with EmbeddedServers(tmp_path_factory.mktemp("elsewhere"), redis=False, fsync=False) as running:
        yield running


@contextmanager
def as_good_as_destroyed(catalog: Catalog, those: ColumnElement[bool]) -> Iterator[None]:
    """Tenants that a backup, or a replay, does not go into meanwhile."""
    with catalog.transaction() as session:
        states = {each.id: each.state for each in session.scalars(select(Tenant).where(those))}
        session.execute(update(Tenant).where(those).values(state=State.DESTROYED))
    yield
    with catalog.transaction() as session:
        for tenant_id, state in states.items():
            session.execute(update(Tenant).where(Tenant.id == tenant_id).values(state=state))
    for tenant_id in states:
        catalog.forget(tenant_id)


@pytest.fixture(autouse=True)
def of_two_tenants(app: Flask, acme: Workspace, neighbour: Workspace) -> Iterator[None]:
    """What other tests left damaged, half migrated or in thousands is left out."""
    others = Tenant.id.not_in([acme.home.id, neighbour.home.id])
    with as_good_as_destroyed(app.extensions["house"].catalog, others):
        yield


@pytest.fixture
def of_no_shared_tenant(
    of_two_tenants: None, catalog: Catalog, acme: Workspace, neighbour: Workspace
) -> Iterator[None]:
    """What ends the sessions of all tenants does not end those of the two that all tests share."""
    with as_good_as_destroyed(catalog, Tenant.id.in_([acme.home.id, neighbour.home.id])):
        yield


@pytest.fixture
def elsewhere(
    settings: Settings, other_servers: EmbeddedServers, tmp_path: Path
) -> Iterator[Callable[[], Elsewhere]]:
    """Makes an empty installation; one at a time, because roles belong to a server as a whole."""
    made: list[Elsewhere] = []

    def make() -> Elsewhere:
        name = f"elsewhere_{secrets.token_hex(4)}"
        passwords = {login: secrets.token_hex(16) for login in LOGINS}
        logins = bootstrap(other_servers.admin_url, passwords, database=name)
        admin = make_url(other_servers.admin_url).set(database=name, drivername="postgresql")
        url = admin.render_as_string(hide_password=False)
        made.append(Elsewhere(settings, logins, url, tmp_path / name))
        return made[-1]

    yield make
    with psycopg.connect(other_servers.admin_url, autocommit=True) as admin:
        for each in made:
            admin.execute(f'drop database "{make_url(each.admin_url).database}" with (force)'.encode())
        for (role,) in admin.execute("select rolname from pg_roles where rolname ~ '^t_'").fetchall():
            admin.execute(f'drop role "{role}"'.encode())


@pytest.fixture
def drilling(
    settings: Settings, logins: Logins, servers: EmbeddedServers, tmp_path: Path
) -> Callable[[], Elsewhere]:
    """Commands in the session's own installation, with a data folder apart."""
    changes = {"REDIS_URL": settings.redis_url, "FREEHOLD_STORAGE": settings.storage}
    return lambda: Elsewhere(settings, logins, servers.admin_url, tmp_path / "drilling", changes)


@pytest.fixture
def store(app: object, settings: Settings) -> Store:
    return backups_of(settings)


@pytest.fixture
def take(store: Store, settings: Settings) -> Callable[[], Taken]:
    """Takes a backup of the whole session's installation."""
    storage = storage_from(settings.storage)
    return lambda: Taking(store, key_versions().catalog, settings.catalog_database_url, storage).take()


FIRST = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    """Stands still until somebody moves it."""

    def __init__(self) -> None:
        self.at = FIRST

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def catalog(app: Flask) -> Catalog:
    return app.extensions["house"].catalog


@pytest.fixture
def ring(catalog: Catalog, settings: Settings, clock: Clock, tmp_path: Path) -> Keyring:
    return Keyring(Folder(tmp_path / "keyring"), catalog, key_versions().wrapper, settings.backup_days, clock)


@pytest.fixture
def ledger(catalog: Catalog, tmp_path: Path) -> Ledger:
    return Ledger(Folder(tmp_path / "backups"), key_versions().wrapper.hashed, catalog.alone)


@pytest.fixture
def kept(ring: Keyring, tmp_path: Path) -> Store:
    return Store(Folder(tmp_path / "backups"), ring)


def put(store: Store, name: str) -> Page:
    """A backup without anything in it."""
    dated, key = store.keyring.key_of_today()
    said = {
        "id": name,
        "taken_at": f"{dated.day}T12:00:00+00:00",
        "program": "1",
        "key_day": f"{dated.day}",
        "key_destroyed_on": f"{dated.destroyed_on}",
        **dict.fromkeys(("tenants", "rows", "files", "size"), 0),
    }
    written = store.write(name, INDEX, key, [json.dumps({"about": said, "files": {}}).encode()])
    page = Page(**said, index=written.sha256)
    store.conclude(page)
    return page
