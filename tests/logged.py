"""What the program logs while a test runs, at the most talkative level."""

import io
from collections.abc import Iterator

import pytest
import structlog

from tenants.foundation import logs


@pytest.fixture
def lines() -> Iterator[io.BytesIO]:
    before = structlog.get_config()
    written = io.BytesIO()
    logs.set_up("debug")
    structlog.configure(logger_factory=structlog.BytesLoggerFactory(written))
    yield written
    structlog.configure(**before)
