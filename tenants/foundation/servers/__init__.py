"""PostgreSQL and Redis out of wheels, run under our own supervision on this machine."""

from tenants.foundation.servers.embedded import EmbeddedServers
from tenants.foundation.servers.failure import ServerFailed

__all__ = ["EmbeddedServers", "ServerFailed"]
