"""The directories of two neighbours."""

import pytest
from flask import Flask

from tests.tenants.identity.scim.directories import Directory, directory_key
from tests.workspace import Workspace


@pytest.fixture(scope="module")
def directory(app: Flask, acme: Workspace) -> Directory:
    return Directory(app.test_client(use_cookies=False), directory_key(acme))


@pytest.fixture(scope="module")
def theirs(app: Flask, neighbour: Workspace) -> Directory:
    """The directory of the neighbour."""
    return Directory(app.test_client(use_cookies=False), directory_key(neighbour))
