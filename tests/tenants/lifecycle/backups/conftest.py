"""Backups of the session's installation."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tenants.audit.ledger import Ledger
from tenants.catalog.models import Tenant
from tenants.catalog.registry import Catalog
from tenants.foundation.servers import EmbeddedServers
from tenants.foundation.settings import Settings
from tenants.isolation.bootstrap import Logins
from tenants.isolation.folder import Folder
from tenants.isolation.storage import storage_from
from tenants.lifecycle.backups.keyring import Keyring
from tenants.lifecycle.backups.opening import backups
from tenants.lifecycle.backups.store import INDEX, Page, Store
from tenants.lifecycle.backups.taking import Taken, Taking
from tenants.lifecycle.keys.versions import key_versions
from tests.elsewhere import Elsewhere
from tests.house import as_good_as_destroyed
from tests.workspace import Workspace


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
def drilling(
    settings: Settings, logins: Logins, servers: EmbeddedServers, tmp_path: Path
) -> Callable[[], Elsewhere]:
    """Commands in the session's own installation, with a data folder apart."""
    changes = {
        "REDIS_URL": settings.redis_url,
        "FREEHOLD_STORAGE": settings.storage,
        "FREEHOLD_BACKUPS": settings.backups,
        "FREEHOLD_KEYRING": settings.keyring,
    }
    return lambda: Elsewhere(settings, logins, servers.admin_url, tmp_path / "drilling", changes)


@pytest.fixture
def store(app: object) -> Store:
    return backups()


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


def put(store: Store, name: str, **index: Any) -> Page:
    """A backup without anything in it but what is said of its index."""
    dated, key = store.keyring.key_of_today()
    said = {
        "id": name,
        "taken_at": f"{dated.day}T12:00:00+00:00",
        "program": "1",
        "key_day": f"{dated.day}",
        "key_destroyed_on": f"{dated.destroyed_on}",
        **dict.fromkeys(("tenants", "rows", "files", "size"), 0),
    }
    content = json.dumps({"about": said, "files": {}, **index}).encode()
    written = store.write(name, INDEX, key, [content])
    page = Page(**said, index=written.sha256)
    store.conclude(page)
    return page
