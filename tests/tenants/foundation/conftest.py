"""A processor and a door, for the tests of what goes out."""

import pytest

from tenants.foundation import outbound
from tenants.foundation.outbound import ANY_HOST, Outbound, processor
from tenants.foundation.tables import Purpose


@pytest.fixture
def no_processors(monkeypatch):
    monkeypatch.setattr(outbound, "_processors", {})


@pytest.fixture
def hooks():
    """A processor whose hosts are named by tenants."""
    return processor("webhooks", purposes=[Purpose.SALES], hosts=[ANY_HOST])


@pytest.fixture
def door():
    """As it is on a developer's machine: only loopback can be reached."""
    return Outbound(allow_loopback=True)
