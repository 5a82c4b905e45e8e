"""Both servers of one data folder: started together, watched, stopped in order."""

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import unquote

from tenants.foundation.kept_secrets import KeptSecrets
from tenants.foundation.servers.account import Account
from tenants.foundation.servers.failure import ServerFailed
from tenants.foundation.servers.postgresql import EmbeddedPostgresql
from tenants.foundation.servers.redis import EmbeddedRedis
from tenants.foundation.servers.sockets import socket_folder


class EmbeddedServers:
    """PostgreSQL and Redis with their files under `data_dir`; without `fsync` a power cut may cost data.

    `postgresql` and `redis` say which of the two is wanted.
    """

    def __init__(
        self, data_dir: Path, *, fsync: bool = True, postgresql: bool = True, redis: bool = True
    ) -> None:
        self._data_dir = data_dir.resolve()
        self._fsync = fsync
        self._wanted = {"postgresql": postgresql, "redis": redis}
        self._lock: int | None = None
        self._servers: list[EmbeddedPostgresql | EmbeddedRedis] = []
        self.postgresql: EmbeddedPostgresql
        self.redis: EmbeddedRedis

    @property
    def admin_url(self) -> str:
        """PostgreSQL, as its superuser."""
        return self.postgresql.url

    @property
    def redis_url(self) -> str:
        return self.redis.url

    def are_named_by(self, url: str) -> bool:
        """Whether there is a PostgreSQL of this data folder, started or not, and the URL leads to it."""
        if not (self._data_dir / "postgresql").is_dir():
            return False
        account = Account.for_data_in(self._data_dir / "postgresql")
        return f"host={socket_folder(self._data_dir, account)}" in unquote(url).split("?")[-1].split("&")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        try:
            self._prepare()
            self._start(self._servers)
        except OSError as error:
            self.stop()
            raise ServerFailed(
                f"{error.filename or self._data_dir} can't be used: {error.strerror}."
            ) from None
        except BaseException:
            self.stop()
            raise

    def revive(self) -> list[str]:
        """Start again what has ended without being asked to, and name it."""
        ended = [server for server in self._servers if not server.process.is_running]
        self._start(ended)
        return [server.process.name for server in ended]

    def stop(self) -> None:
        for server in self._servers:
            server.process.ask_to_stop()
        for server in self._servers:
            server.process.stop()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _prepare(self) -> None:
        (self._data_dir / "log").mkdir(parents=True, exist_ok=True)
        self._take_lock()
        account = Account.for_data_in(self._data_dir / "postgresql")
        place = (self._data_dir, socket_folder(self._data_dir, account), account)
        kept = KeptSecrets(self._data_dir / "passwords.json")
        if self._wanted["redis"]:
            self.redis = EmbeddedRedis(*place, kept.of("redis"), fsync=self._fsync)
            self._servers.append(self.redis)
        if self._wanted["postgresql"]:
            self.postgresql = EmbeddedPostgresql(*place, kept.of("postgresql"), fsync=self._fsync)
            self._servers.append(self.postgresql)

    def _take_lock(self) -> None:
        self._lock = os.open(self._data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServerFailed(f"Servers are running in {self._data_dir} already.") from None

    @staticmethod
    def _start(servers: Sequence[EmbeddedPostgresql | EmbeddedRedis]) -> None:
        """Both at once: neither needs the other."""
        for server in servers:
            server.launch()
        for server in servers:
            server.wait_until_ready()
