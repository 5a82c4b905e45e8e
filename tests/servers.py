"""PostgreSQL and Redis for a test session, in a folder of its own."""

from collections.abc import Iterator

import pytest

from tenants.foundation.servers import EmbeddedServers


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServers]:
    """Both servers, without fsync: what a test leaves behind need not survive a power cut."""
    with EmbeddedServers(tmp_path_factory.mktemp("servers"), fsync=False) as running:
        yield running
