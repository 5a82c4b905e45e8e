"""What carries out archives and exits in this program, and its catalog."""

import pytest
from flask import Flask

from tenants.catalog.registry import Catalog
from tenants.lifecycle.archives.running import Works
from tenants.lifecycle.closing.exiting import Exits
from tenants.provisioning.birth import Nursery


@pytest.fixture
def catalog(app: Flask) -> Catalog:
    return app.extensions["house"].catalog


@pytest.fixture
def works(catalog: Catalog, nursery: Nursery) -> Works:
    return Works(catalog, nursery.owner_urls, nursery.wrapper, nursery.head)


@pytest.fixture
def exits(catalog: Catalog, nursery: Nursery) -> Exits:
    """Without whoever destroys."""
    return Exits(catalog, nursery.owner_urls)
