"""A second PostgreSQL server, as a cell beside the first."""

import secrets
from collections.abc import Iterator

import pytest
from sqlalchemy import update

from tenants.catalog.models import State, Tenant
from tenants.catalog.registry import Catalog
from tenants.foundation.servers import EmbeddedServers
from tenants.isolation.bootstrap import LOGINS, Logins, bootstrap


@pytest.fixture(scope="session")
def second_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServers]:
    """A server of its own, without a Redis."""
    with EmbeddedServers(tmp_path_factory.mktemp("second"), redis=False, fsync=False) as running:
        yield running


@pytest.fixture(scope="session")
def second(second_server: EmbeddedServers) -> Logins:
    """Logins and passwords of its own on it."""
    return bootstrap(second_server.admin_url, {login: secrets.token_hex(16) for login in LOGINS})


def give_up_the_second(catalog: Catalog) -> None:
    """Nobody looks for a tenant there any more, not even for work that it has left, and no region binds anybody."""
    gone = update(Tenant).where(Tenant.cell == "second").values(state=State.DESTROYED).returning(Tenant.id)
    with catalog.transaction() as session:
        ids = list(session.scalars(gone))
        session.execute(update(Tenant).where(Tenant.region.is_not(None)).values(region=None))
    for each in ids:
        catalog.forget(each)
