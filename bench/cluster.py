"""The servers that a benchmark runs on: PostgreSQL and Redis of the wheels, durable, bound to their core."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bench.processes import bind_to_cores
from tenants.foundation.servers import EmbeddedServers


@dataclass(frozen=True)
class Cluster:
    """One PostgreSQL with its Redis, running."""

    name: str
    data_dir: Path
    admin_url: str
    redis_url: str
    postgresql_pid: int
    redis_pid: int

    def connection_info(self, **other: str) -> str:
        """As the superuser, unless told otherwise."""
        return make_conninfo(self.admin_url, **other)

    def connect(self, **other: str) -> psycopg.Connection[Any]:
        return psycopg.connect(self.connection_info(**other), autocommit=True)

    @property
    def host(self) -> str:
        return str(conninfo_to_dict(self.admin_url)["host"])


@contextmanager
def running(data_dir: Path, *, cores: set[int]) -> Iterator[Cluster]:
    """Starts both servers on the files in `data_dir`, made when there are none, and stops them again."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with EmbeddedServers(data_dir, fsync=True) as servers:
        postgresql, redis = servers.postgresql.process.pid, servers.redis.process.pid
        assert postgresql is not None, "PostgreSQL was to run."
        assert redis is not None, "Redis was to run."
        bind_to_cores(postgresql, cores)
        bind_to_cores(redis, cores)
        yield Cluster(data_dir.name, data_dir, servers.admin_url, servers.redis_url, postgresql, redis)
