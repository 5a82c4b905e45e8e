"""Our own people, and two tenants with something in them that nobody of ours may see."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from tenants.foundation.settings import Settings
from tenants.provisioning.birth import Nursery
from tests.staff import Bureau
from tests.workspace import Workspace


@pytest.fixture(scope="session")
def bureau(app: Flask, nursery: Nursery, settings: Settings) -> Bureau:
    return Bureau(app, app.extensions["house"].catalog, nursery, settings)


@pytest.fixture
def tenant(new_workspace: Callable[[], Workspace], bureau: Bureau) -> Workspace:
    """A fresh tenant with three contacts."""
    workspace = new_workspace()
    for number in range(3):
        body = {
            "last_name": f"Clearname{number}",
            "email": f"clear{number}@example.test",
            "department": f"D{number}",
        }
        assert workspace.admin.post("/contacts", body).status_code == 201
    return workspace


@pytest.fixture(scope="module")
def other(new_workspace: Callable[[], Workspace]) -> Workspace:
    """The tenant next door, which has a contact; the tests of a module share it."""
    workspace = new_workspace()
    assert workspace.admin.post("/contacts", {"last_name": "Nextdoor"}).status_code == 201
    return workspace


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Sets the program's clock forward."""

    def forward(span: timedelta) -> None:
        moment = datetime.now(UTC) + span
        monkeypatch.setattr("tenants.foundation.clock.now", lambda: moment)

    return forward
