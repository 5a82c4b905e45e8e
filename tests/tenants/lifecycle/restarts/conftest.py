"""One installation with two databases, for the tests that crash them."""

from collections.abc import Iterator

import pytest
from flask import Flask

from crm.app import open_house
from tenants.foundation.settings import Settings
from tenants.isolation import door
from tenants.jobs.carrier import Carrier, use_carrier
from tests.s3 import BUCKET, S3
from tests.tenants.lifecycle.restarts.world import World, at_work, opened, own_servers, settings_of
from tests.workspace import Workspace

#: Functions of a destruction, in the order of its steps: a spot each.
DESTROYING = [
    "tenants.lifecycle.keys.destruction:change",
    "tenants.lifecycle.keys.versions:KeyVersions.destroy",
    "tenants.lifecycle.keys.destruction:Destruction._remove_files",
    "tenants.lifecycle.keys.destruction:drop",
    "tenants.lifecycle.keys.destruction:Destruction._forget_pointers",
    "tenants.lifecycle.certificates.issuing:Certificates.issue",
]


@pytest.fixture(scope="module")
def world(
    app: Flask, settings: Settings, carrier: Carrier, s3_server: S3, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Its doors are those of this process until the module ends; then they are the session's again."""
    folder = tmp_path_factory.mktemp("restarts")
    crashes = tmp_path_factory.mktemp("crashes")
    with pytest.MonkeyPatch.context() as patched, own_servers(folder) as servers:
        for name, value in s3_server.environment.items():
            patched.setenv(name, value)
        own = settings_of(servers, folder, f"s3://{BUCKET}/{folder.name}")
        made, nursery = opened(own)
        try:
            with at_work(own, crashes, DESTROYING) as processes:
                yield World(own, servers, crashes, made, nursery, processes)
        finally:
            for each in (*door._cells, *door._staff_cells, made.extensions["house"].catalog.engine):
                each.dispose()
            open_house(settings)
            use_carrier(carrier)


@pytest.fixture
def ours(world: World) -> Workspace:
    return world.tenant()


@pytest.fixture(scope="module")
def neighbour(world: World) -> Workspace:
    return world.tenant()
