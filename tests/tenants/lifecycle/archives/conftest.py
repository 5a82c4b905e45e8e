"""A tenant in which there is something of most kinds."""

from collections.abc import Callable

import pytest

from tests.jobs import RunJobs
from tests.workspace import Workspace


@pytest.fixture
def ours(new_workspace: Callable[[], Workspace], run_jobs: RunJobs) -> Workspace:
    tenant = new_workspace()
    parent = tenant.admin.post("/companies", {"name": "Parent", "bank_account": "DE89 3704"}).json["id"]
    tenant.admin.post("/companies", {"name": "Child", "parent_id": parent})
    awkward = {"last_name": 'quotes " and commas, \\N', "national_id": "sealed", "tags": ["a,b"]}
    assert tenant.admin.post("/contacts", awkward).status_code == 201
    tenant.admin.post("/exports", {})
    run_jobs()
    return tenant
