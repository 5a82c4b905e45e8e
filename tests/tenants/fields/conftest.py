"""A tenant with a field of each kind on its contacts, and none anywhere else."""

from collections.abc import Callable

import pytest

from tests.tenants.fields.defined import EVERY_KIND, define
from tests.workspace import Workspace


@pytest.fixture(scope="package")
def own(new_workspace: Callable[[], Workspace]) -> Workspace:
    workspace = new_workspace()
    for name, options in EVERY_KIND.items():
        define(workspace, "contacts", name, **options)
    return workspace
