"""The servers that a benchmark runs on: PostgreSQL and Redis of the wheels, durable, bound to their core."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

import crm.app  # noqa: F401 - the product's tables are known once it is imported
from bench import data
from bench.processes import bind_to_cores
from tenants.foundation.servers import EmbeddedServers
from tenants.isolation.roles import tables
from tenants.provisioning.revisions import head


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
    _begin_anew_for_other_tables(data_dir)
    with EmbeddedServers(data_dir, fsync=True) as servers:
        postgresql, redis = servers.postgresql.process.pid, servers.redis.process.pid
        assert postgresql is not None, "PostgreSQL was to run."
        assert redis is not None, "Redis was to run."
        bind_to_cores(postgresql, cores)
        bind_to_cores(redis, cores)
        yield Cluster(data_dir.name, data_dir, servers.admin_url, servers.redis_url, postgresql, redis)


def _begin_anew_for_other_tables(data_dir: Path) -> None:
    """Data of an earlier run is of no use when the tables or the people of the benchmark have changed."""
    made_for, generator = data_dir / "made-for", Path(data.__file__).read_text()
    wanted = sha256(repr((head("catalog"), head(), tables(), generator)).encode()).hexdigest()
    if made_for.exists() and made_for.read_text() != wanted:
        shutil.rmtree(data_dir)
    data_dir.mkdir(parents=True, exist_ok=True)
    made_for.write_text(wanted)
