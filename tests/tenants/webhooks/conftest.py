"""A receiver, and one tenant whose webhooks are those of the test at hand alone."""

from collections.abc import Callable, Iterator

import pytest

from tests.workspace import Workspace


@pytest.fixture(scope="package")
def shared(new_workspace: Callable[[], Workspace]) -> Workspace:
    return new_workspace()


@pytest.fixture
def ours(shared: Workspace, neighbour: Workspace) -> Iterator[Workspace]:
    yield shared
    for each in (shared, neighbour):
        for webhook in each.admin.get("/webhooks").json["data"]:
            assert each.admin.in_person.delete(f"/webhooks/{webhook['id']}").status_code == 204
