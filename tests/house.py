"""The whole program on real servers: one application, and always two neighbours."""

import gc
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import ColumnElement, and_, delete, insert, select, true, update

from crm.app import create_app, nursery_of
from tenants.catalog.models import PlaceMark, State, Tenant
from tenants.catalog.registry import Catalog
from tenants.foundation.clock import now
from tenants.foundation.servers import EmbeddedServers
from tenants.foundation.settings import Settings
from tenants.isolation.bootstrap import LOGINS, Logins, bootstrap
from tenants.isolation.key_file import LocalKeyFile
from tenants.isolation.places import STORAGE, Places
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
def catalog(app: Flask) -> Catalog:
    found: Catalog = app.extensions["house"].catalog
    return found


@pytest.fixture(scope="session")
def nursery(app: Flask, settings: Settings) -> Nursery:
    return nursery_of(settings, app.extensions["house"].catalog, as_owner=True)


@pytest.fixture(scope="session")
def new_workspace(app: Flask, nursery: Nursery) -> Callable[[], Workspace]:
    """Makes a fresh, empty tenant for a test that counts what is there."""
    return lambda: make_workspace(app, nursery, f"t{secrets.token_hex(6)}")


def _left_alone(catalog: Catalog, those: ColumnElement[bool]) -> dict[UUID, str]:
    """From now on nothing looks at these tenants: no round, no worker, no backup. In which state each was."""
    with catalog.transaction() as session:
        states = {each.id: each.state for each in session.scalars(select(Tenant).where(those))}
        session.execute(update(Tenant).where(those).values(state=State.DESTROYED))
    return states


@contextmanager
def as_good_as_destroyed(catalog: Catalog, those: ColumnElement[bool]) -> Iterator[None]:
    """Tenants that nothing looks at meanwhile."""
    states = _left_alone(catalog, those)
    yield
    with catalog.transaction() as session:
        for tenant_id, state in states.items():
            session.execute(update(Tenant).where(Tenant.id == tenant_id).values(state=state))
    for tenant_id in states:
        catalog.forget(tenant_id)


@pytest.fixture
def without_marks(app: Flask, settings: Settings) -> Iterator[None]:
    """Commands in this installation may name other places: it knows no mark meanwhile. Its own keep theirs."""
    places = Places(settings, app.extensions["house"].catalog)
    with _unknown_meanwhile(app.extensions["house"].catalog, places, true()):
        yield


@pytest.fixture
def without_mark_of_storage(app: Flask, settings: Settings) -> Iterator[None]:
    """Processes of this installation may be given another storage."""
    places = Places(settings, app.extensions["house"].catalog)
    with _unknown_meanwhile(app.extensions["house"].catalog, places, PlaceMark.name == STORAGE):
        yield


@contextmanager
def _unknown_meanwhile(catalog: Catalog, places: Places, those: ColumnElement[bool]) -> Iterator[None]:
    places.say_seen()
    with catalog.transaction() as session:
        found = session.execute(select(*PlaceMark.__table__.columns).where(those)).mappings().all()
        session.execute(delete(PlaceMark).where(those))
    yield
    with catalog.transaction() as session:
        session.execute(delete(PlaceMark).where(those))
        session.execute(insert(PlaceMark), [dict(each) for each in found])


@pytest.fixture(scope="module", autouse=True)
def begun_at() -> datetime:
    """When the first test of the module at hand began."""
    return now()


@pytest.fixture
def undisturbed(app: Flask, begun_at: datetime, acme: Workspace, neighbour: Workspace) -> Iterator[None]:
    """Whoever works for all tenants meanwhile has no work left from those of other modules."""
    shared = [acme.home.id, neighbour.home.id]
    others = and_(Tenant.claimed_at < begun_at, Tenant.id.not_in(shared))
    with as_good_as_destroyed(app.extensions["house"].catalog, others):
        yield


@pytest.fixture(scope="session")
def leave_alone(app: Flask) -> Callable[[Workspace], None]:
    """Has nobody look at a tenant any more: neither at its jobs and schedules, which may be many, nor in any round."""
    catalog: Catalog = app.extensions["house"].catalog

    def leave(workspace: Workspace) -> None:
        _left_alone(catalog, Tenant.id == workspace.home.id)
        catalog.forget(workspace.home.id)

    return leave


@pytest.fixture(scope="session")
def acme(app: Flask, nursery: Nursery) -> Workspace:
    """A tenant that all tests share: don't count what is in it."""
    return make_workspace(app, nursery, "acme")


@pytest.fixture(scope="session")
def neighbour(app: Flask, nursery: Nursery) -> Workspace:
    """The tenant next door, whose things don't exist for acme."""
    return make_workspace(app, nursery, "neighbour")


@pytest.fixture
def ours(new_workspace: Callable[[], Workspace]) -> Workspace:
    """A fresh tenant of this test alone, which may be counted, closed or broken."""
    return new_workspace()


@pytest.fixture
def outside() -> Iterator[None]:
    """Marks a test that must not be inside any tenant when it ends."""
    yield
    from tenants.isolation.door import is_inside

    assert not is_inside()
