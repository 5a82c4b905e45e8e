"""A provider that does as a test tells it, a domain that is acme's, and a browser on its way between the two."""

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from tests.providers import Browser, Provider, own_domain, running_provider, use_provider
from tests.workspace import Workspace


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running_provider() as running:
        yield running


@pytest.fixture(scope="module")
def domain(app: Flask, acme: Workspace) -> str:
    """Proven to be acme's, and not the neighbour's."""
    name = f"d{secrets.token_hex(5)}.example.org"
    own_domain(app, acme, name)
    return name


@pytest.fixture
def browser(app: Flask, acme: Workspace, neighbour: Workspace, provider: Provider) -> Browser:
    return Browser(app.test_client(), acme, use_provider(acme, provider.issuer))


@pytest.fixture
def who(domain: str) -> dict[str, Any]:
    """Claims of somebody who was never here."""
    name = secrets.token_hex(6)
    return {"sub": name, "email": f"{name}@{domain}", "email_verified": True}
