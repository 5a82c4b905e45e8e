"""The whole program on real servers: one application, and always two neighbours."""

import gc
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from crm.app import create_app, nursery_of
from tenants.foundation.servers import EmbeddedServers
from tenants.foundation.settings import Settings
from tenants.isolation.bootstrap import LOGINS, Logins, bootstrap
from tenants.isolation.key_file import LocalKeyFile
from tenants.provisioning.birth import Nursery
from tenants.provisioning.migrating import migrate_catalog
from tests.workspace import Workspace, make_workspace


@pytest.fixture(scope="session")
def logins(servers: EmbeddedServers) -> Logins:
    made = bootstrap(servers.admin_url, {login: secrets.token_hex(16) for login in LOGINS})
    migrate_catalog(made.owner)
    return made


@pytest.fixture(scope="session")
def settings(servers: EmbeddedServers, logins: Logins, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder: Path = tmp_path_factory.mktemp("data")
    LocalKeyFile.made_if_missing(folder / "key")
    return Settings(
        data_dir=folder,
        key_file=folder / "key",
        storage=(folder / "storage").as_uri(),
        database_url=logins.app,
        redis_url=servers.redis_url,
        catalog_database_url=logins.catalog,
        staff_database_url=logins.staff,
        owner_database_url=logins.owner,
        outbound_allow_loopback=True,
        log_level="info",
        requests_per_minute_tenant=1_000_000,
        requests_per_minute_caller=1_000_000,
    )


@pytest.fixture(scope="session")
def app(settings: Settings) -> Flask:
    made = create_app(settings)
    gc.freeze()  # what is loaded by now stays: to look through it again and again takes a tenth of all time
    return made


@pytest.fixture(scope="session")
def nursery(app: Flask, settings: Settings) -> Nursery:
    return nursery_of(settings, app.extensions["house"].catalog, as_owner=True)


@pytest.fixture(scope="session")
def new_workspace(app: Flask, nursery: Nursery) -> Callable[[], Workspace]:
    """Makes a fresh, empty tenant for a test that counts what is there."""
    return lambda: make_workspace(app, nursery, f"t{secrets.token_hex(6)}")


@pytest.fixture(scope="session")
def acme(app: Flask, nursery: Nursery) -> Workspace:
    """A tenant that all tests share: don't count what is in it."""
    return make_workspace(app, nursery, "acme")


@pytest.fixture(scope="session")
def neighbour(app: Flask, nursery: Nursery) -> Workspace:
    """The tenant next door, whose things don't exist for acme."""
    return make_workspace(app, nursery, "neighbour")


@pytest.fixture
def outside() -> Iterator[None]:
    """Marks a test that must not be inside any tenant when it ends."""
    yield
    from tenants.isolation.door import is_inside

    assert not is_inside()
