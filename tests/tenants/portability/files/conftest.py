"""A tenant with files on its records, and the bundle that they leave in."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tenants.portability.formats import Format
from tenants.portability.taking_out import take_out
from tests.attaching import attached
from tests.tenants.portability.files.contents import CONTENTS
from tests.workspace import Workspace


@pytest.fixture(scope="module")
def source(new_workspace: Callable[[], Workspace], neighbour: Workspace) -> Workspace:
    tenant = new_workspace()
    record = tenant.admin.post("/contacts", {"last_name": "Holder"}).json["id"]
    for name, content in CONTENTS.items():
        attached(tenant.admin, "contacts", record, name=name, content=content)
    theirs = neighbour.admin.post("/contacts", {"last_name": "Not of this bundle"}).json["id"]
    attached(neighbour.admin, "contacts", theirs, name="neighbour.txt")
    return tenant


@pytest.fixture(scope="module")
def bundle(source: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tests tamper with copies of it."""
    file = tmp_path_factory.mktemp("bundle") / "bundle.zip"
    take_out(source.home, file, Format.CSV)
    return file
