"""What archives are made with in this program, and its catalog."""

import pytest
from flask import Flask

from tenants.catalog.registry import Catalog
from tenants.lifecycle.archives.running import Works
from tenants.provisioning.birth import Nursery


@pytest.fixture
def catalog(app: Flask) -> Catalog:
    return app.extensions["house"].catalog


@pytest.fixture
def works(catalog: Catalog, nursery: Nursery) -> Works:
    return Works(catalog, nursery.owner_urls, nursery.wrapper, nursery.head)
