"""Two neighbours of their own for the generated tests, and examples of everything in both."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from tenants.portability import repeating
from tests.asking import Examples
from tests.operations import Document, document_of
from tests.workspace import Workspace

#: What archives or closes a tenant, and what asks about a closing that is under way.
PUT_AWAY = {
    "POST /api/v1/archives",
    *(f"{method} /api/v1/closing" for method in ("GET", "POST", "PATCH", "DELETE")),
}


@pytest.fixture(scope="session")
def document(app: Flask) -> Document:
    """All operations but those that put the tenant itself away: the tests of the life cycle ask for these."""
    found = document_of(app)
    away = [each for each in found.operations if str(each) in PUT_AWAY]
    assert len(away) == len(PUT_AWAY)
    for operation in away:
        found.operations.remove(operation)
    return found


@pytest.fixture(scope="session", autouse=True)
def room_for_examples() -> Iterator[None]:
    """There may be as many schedules for exports as these tests make of them."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(repeating, "MOST", 100_000)
        yield


@pytest.fixture(scope="session")
def ours(document: Document, new_workspace: Callable[[], Workspace]) -> Examples:
    return Examples(document, new_workspace())


@pytest.fixture(scope="session")
def theirs(document: Document, new_workspace: Callable[[], Workspace]) -> Examples:
    """The tenant next door, with things of its own."""
    return Examples(document, new_workspace())
