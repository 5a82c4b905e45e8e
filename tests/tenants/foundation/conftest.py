"""A processor and a door, for the tests of what goes out; an environment of settings alone."""

from pathlib import Path

import pytest

from tenants.foundation import outbound
from tenants.foundation.outbound import ANY_HOST, Outbound, processor
from tenants.foundation.settings import Settings, env_name
from tenants.foundation.tables import Purpose
from tests.tenants.foundation.settled import URLS


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


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    for field in Settings.model_fields:
        monkeypatch.delenv(env_name(field), raising=False)
    for name, value in URLS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("FREEHOLD_DATA_DIR", str(tmp_path))
    return monkeypatch
