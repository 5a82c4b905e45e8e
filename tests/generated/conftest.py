"""Two neighbours of their own for the generated tests, and examples of everything in both."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from tenants.fields import defining
from tenants.portability import repeating
from tenants.webhooks import registering
from tests.asking import Examples
from tests.operations import Document, Operation, document_of
from tests.workspace import Workspace

#: What archives or closes a tenant, and what asks about a closing that is under way.
PUT_AWAY = {
    "POST /api/v1/archives",
    *(f"{method} /api/v1/closing" for method in ("GET", "POST", "PATCH", "DELETE")),
}


@pytest.fixture(scope="session")
def putting_away(app: Flask) -> list[Operation]:
    """What puts the tenant itself away, or asks how far that is."""
    found = [each for each in document_of(app).operations if str(each) in PUT_AWAY]
    assert len(found) == len(PUT_AWAY)
    return found


@pytest.fixture(scope="session")
def document(app: Flask, putting_away: list[Operation]) -> Document:
    """All operations but those that put the tenant away: whoever may is asked for by the tests of the life cycle."""
    found = document_of(app)
    away = {str(each) for each in putting_away}
    found.operations[:] = [each for each in found.operations if str(each) not in away]
    return found


@pytest.fixture(scope="session", autouse=True)
def room_for_examples() -> Iterator[None]:
    """There may be as many schedules for exports, webhooks and fields as these tests make of them."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(repeating, "MOST", 100_000)
        patched.setattr(registering, "MOST", 100_000)
        patched.setattr(defining, "MOST_FIELDS", 100_000)
        yield


@pytest.fixture(scope="module")
def passing(
    new_workspace: Callable[[], Workspace], leave_alone: Callable[[Workspace], None]
) -> Iterator[Callable[[], Workspace]]:
    """Makes tenants that whatever is asked for fills with work, which no later test has to do."""
    made: list[Workspace] = []

    def make() -> Workspace:
        made.append(new_workspace())
        return made[-1]

    yield make
    for each in made:
        leave_alone(each)


@pytest.fixture(scope="module")
def ours(document: Document, passing: Callable[[], Workspace]) -> Examples:
    return Examples(document, passing())


@pytest.fixture(scope="module")
def theirs(document: Document, passing: Callable[[], Workspace]) -> Examples:
    """The tenant next door, with things of its own."""
    return Examples(document, passing())
