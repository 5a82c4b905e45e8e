"""Two neighbours of their own for the generated tests, and examples of everything in both."""

from collections.abc import Callable

import pytest
from flask import Flask

from tests.asking import Examples
from tests.operations import Document, document_of
from tests.workspace import Workspace


@pytest.fixture(scope="session")
def document(app: Flask) -> Document:
    return document_of(app)


@pytest.fixture(scope="session")
def ours(document: Document, new_workspace: Callable[[], Workspace]) -> Examples:
    return Examples(document, new_workspace())


@pytest.fixture(scope="session")
def theirs(document: Document, new_workspace: Callable[[], Workspace]) -> Examples:
    """The tenant next door, with things of its own."""
    return Examples(document, new_workspace())
