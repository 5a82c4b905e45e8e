"""Two tenants with something sealed in every place that holds sealed values."""

from collections.abc import Callable

import pytest

from tests.jobs import RunJobs
from tests.tenants.lifecycle.keys.sealed import Sealed, fill, filled_once
from tests.workspace import Workspace


@pytest.fixture
def ours(new_workspace: Callable[[], Workspace], run_jobs: RunJobs) -> Sealed:
    return fill(new_workspace(), run_jobs)


@pytest.fixture
def theirs(neighbour: Workspace, run_jobs: RunJobs) -> Sealed:
    return filled_once(neighbour, run_jobs)
