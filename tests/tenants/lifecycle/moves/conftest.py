"""Two cells whose doors are open, and a tenant in the first that has something of everything."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from tenants.catalog.regions import Regions
from tenants.catalog.registry import Catalog
from tenants.foundation.settings import Settings
from tenants.isolation.bootstrap import Logins
from tenants.lifecycle.moves.running import Works
from tenants.provisioning.birth import Nursery
from tests.attaching import attached
from tests.jobs import RunJobs
from tests.tenants.lifecycle.moves.world import two_doors
from tests.workspace import Workspace


@pytest.fixture
def catalog(app: Flask) -> Catalog:
    return app.extensions["house"].catalog


@pytest.fixture
def owners(logins: Logins, second: Logins) -> dict[str, str | None]:
    return {"main": logins.owner, "second": second.owner}


@pytest.fixture
def works(
    catalog: Catalog, nursery: Nursery, settings: Settings, second: Logins, owners: dict[str, str | None]
) -> Iterator[Works]:
    """Moves between two cells of one region."""
    with two_doors(catalog, settings, second):
        yield Works(catalog, owners, nursery.head, Regions({"main": "eu", "second": "eu", "far": "us"}))


@pytest.fixture
def ours(works: Works, new_workspace: Callable[[], Workspace], run_jobs: RunJobs) -> Workspace:
    """A tenant with relations, sealed fields, awkward texts, an attachment and a finished export."""
    tenant = new_workspace()
    parent = tenant.admin.post("/companies", {"name": "Parent", "bank_account": "DE89 3704"}).json["id"]
    tenant.admin.post("/companies", {"name": "Child", "parent_id": parent})
    awkward: dict[str, Any] = {
        "last_name": 'quotes " and\ttabs, \\N',
        "national_id": "sealed",
        "tags": ["a,b"],
    }
    made = tenant.admin.post("/contacts", awkward)
    assert made.status_code == 201
    attached(tenant.admin, "contacts", made.json["id"])
    tenant.admin.post("/exports", {})
    run_jobs()
    return tenant
