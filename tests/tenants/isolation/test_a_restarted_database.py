"""PostgreSQL is started again while connections are idle in the pool: the next requests don't notice."""

import psycopg

from tenants.foundation.servers import EmbeddedServers
from tenants.isolation.conninfo import conninfo
from tests.workspace import Workspace


def _end_every_connection(servers: EmbeddedServers) -> None:
    """What a restart does to a pool, without the restart that other tests would feel."""
    url = conninfo(servers.admin_url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'freehold_app'"
        )


def test_reads_and_writes_go_on_over_new_connections(
    acme: Workspace, neighbour: Workspace, servers: EmbeddedServers
) -> None:
    for workspace in (acme, neighbour):
        made = workspace.admin.post("/companies", {"name": "Before"}).json["id"]
        assert workspace.admin.get(f"/companies/{made}").status_code == 200
        _end_every_connection(servers)
        assert workspace.admin.get(f"/companies/{made}").status_code == 200
        _end_every_connection(servers)
        assert workspace.admin.patch(f"/companies/{made}", {"name": "After"}).status_code == 200
        assert workspace.admin.get("/companies?limit=1").status_code == 200
