"""An app that acme's people may connect."""

import pytest

from tests.apps import App, register
from tests.workspace import Workspace


@pytest.fixture
def app_of_acme(acme: Workspace) -> App:
    return register(acme, "contacts:read", "contacts:create")
