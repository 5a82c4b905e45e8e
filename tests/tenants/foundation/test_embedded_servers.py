"""PostgreSQL and Redis start anywhere, survive being killed, and never outlive who started them."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest
from redis import AuthenticationError, Redis

from tenants.foundation.servers import EmbeddedServers, ServerFailed
from tenants.foundation.servers.postgresql import words_of

ROOT = Path(__file__).parents[3]
UNTIL_KILLED = """
import sys, time
from pathlib import Path
from tenants.foundation.servers import EmbeddedServers

with EmbeddedServers(Path(sys.argv[1]), fsync=False) as servers:
    print(servers.postgresql.process.pid, servers.redis.process.pid, flush=True)
    time.sleep(600)
"""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@contextmanager
def supervisor(data_dir: Path, *prefix: str) -> Iterator[tuple[psutil.Popen, list[psutil.Process]]]:
    """A program of its own that runs both servers until it is killed."""
    command = [*prefix, sys.executable, "-c", UNTIL_KILLED, str(data_dir)]
    running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        pids = running.stdout.readline().split()
        yield running, [psutil.Process(int(pid)) for pid in pids]
    finally:
        running.kill()
        running.wait()
        running.stdout.close()


def remember(servers: EmbeddedServers) -> None:
    with psycopg.connect(servers.admin_url) as connection:
        connection.execute("create table if not exists kept (word text)")
        connection.execute("insert into kept values ('yes')")
    with Redis.from_url(servers.redis_url) as redis:
        redis.set("kept", "yes")


def remembers(servers: EmbeddedServers) -> bool:
    with psycopg.connect(servers.admin_url) as connection:
        row = connection.execute("select word from kept").fetchone()
    with Redis.from_url(servers.redis_url) as redis:
        return row == ("yes",) and redis.get("kept") == b"yes"


def test_both_start_and_keep_what_they_were_given(tmp_path):
    with EmbeddedServers(tmp_path) as servers:
        remember(servers)
    with EmbeddedServers(tmp_path) as servers:
        assert remembers(servers)


@pytest.mark.soak
def test_nobody_gets_in_without_the_password(servers):
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(f"postgresql://postgres@/postgres?host={servers.admin_url.split('host=')[1]}")
    path = servers.redis_url.partition("@")[2].partition("?")[0]
    with Redis(unix_socket_path=path) as redis, pytest.raises(AuthenticationError):
        redis.ping()


def test_the_sockets_and_passwords_are_private(tmp_path):
    with EmbeddedServers(tmp_path, fsync=False):
        assert (tmp_path / "sockets").stat().st_mode & 0o777 == 0o700
        assert (tmp_path / "passwords.json").stat().st_mode & 0o777 == 0o600
        assert (tmp_path / "redis" / "redis.conf").stat().st_mode & 0o777 == 0o600


@pytest.mark.soak
@pytest.mark.parametrize("name", ["deep/" * 40, "with a space and ü"])
def test_an_awkward_path_gets_its_sockets_elsewhere(tmp_path, name):
    folder = tmp_path / name
    try:
        with EmbeddedServers(folder, fsync=False) as servers:
            remember(servers)
            assert remembers(servers)
            elsewhere = Path(servers.admin_url.split("host=")[1])
            assert folder not in elsewhere.parents
    finally:
        shutil.rmtree(elsewhere)


@pytest.mark.soak
def test_servers_killed_with_their_supervisor_start_again(tmp_path):
    with EmbeddedServers(tmp_path) as servers:
        remember(servers)
    with supervisor(tmp_path) as (program, running):
        for process in [program, *running]:
            process.kill()

    with EmbeddedServers(tmp_path) as servers:
        assert remembers(servers)


@pytest.mark.soak
def test_a_killed_supervisor_leaves_no_orphans(tmp_path):
    with supervisor(tmp_path) as (program, running):
        program.kill()
        _, alive = psutil.wait_procs(running, timeout=30)

    assert not alive


@pytest.mark.soak
def test_a_killed_server_is_revived(tmp_path):
    with EmbeddedServers(tmp_path) as servers:
        remember(servers)
        servers.postgresql.process.kill()
        servers.redis.process.kill()

        assert servers.revive() == ["Redis", "PostgreSQL"]
        assert remembers(servers)
        assert servers.revive() == []


@pytest.mark.soak
def test_a_server_that_fell_under_many_sessions_is_revived(tmp_path):
    with EmbeddedServers(tmp_path, fsync=False, redis=False) as servers, ExitStack() as sessions:
        for _ in range(90):
            sessions.enter_context(psycopg.connect(servers.admin_url))
        fallen = psutil.Process(servers.postgresql.process.pid)
        fallen.send_signal(signal.SIGKILL)
        while servers.postgresql.process.is_running:
            time.sleep(0.001)
        assert servers.revive() == ["PostgreSQL"]


def test_what_sessions_of_a_crashed_server_say_hides_nothing_of_the_new_one():
    log = """
2026-11-23 13:13:04.577 UTC [152] FATAL:  pre-existing shared memory block is still in use
2026-11-23 13:13:04.577 UTC [152] LOG:  database system is shut down
2026-11-23 13:13:04.595 UTC [15] FATAL:  terminating connection due to unexpected postmaster exit
2026-11-23 13:13:04.600 UTC [1520] FATAL:  terminating connection due to unexpected postmaster exit
what came before it knew its own name
"""
    said = words_of(152, log)
    assert "shared memory block" in said
    assert "what came before" in said
    assert "terminating" not in said


@pytest.mark.soak
def test_a_pid_file_that_names_a_stranger_is_no_hindrance(tmp_path):
    with EmbeddedServers(tmp_path, fsync=False) as servers:
        remember(servers)
        pid_file = tmp_path / "postgresql" / "postmaster.pid"
        written = pid_file.read_text()
    stranger = subprocess.Popen(["sleep", "60"], user=pid_file.parent.stat().st_uid)
    try:
        pid_file.write_text("\n".join([str(stranger.pid), *written.splitlines()[1:]]))
        (tmp_path / "redis" / "redis.pid").write_text(f"{stranger.pid}\n")

        with EmbeddedServers(tmp_path, fsync=False) as servers:
            assert remembers(servers)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.soak
def test_one_folder_is_served_once(tmp_path):
    with EmbeddedServers(tmp_path, fsync=False) as servers:
        with pytest.raises(ServerFailed, match=r"running in .* already"):
            EmbeddedServers(tmp_path).start()
        remember(servers)


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(ServerFailed, match=r"file/log can't be used: Not a directory\."):
        EmbeddedServers(tmp_path / "file").start()


def test_files_that_postgresql_refuses_are_a_sentence(tmp_path):
    with EmbeddedServers(tmp_path, fsync=False) as servers:
        redis = servers.redis
    (tmp_path / "postgresql" / "PG_VERSION").write_text("9\n")

    with pytest.raises(
        ServerFailed, match=r"PostgreSQL did not start: database files are incompatible with server\."
    ):
        EmbeddedServers(tmp_path, fsync=False).start()
    assert not redis.process.is_running


@as_root
def test_root_is_served_in_a_folder_that_nobody_else_may_enter():
    hidden = Path(f"~root/.freehold-test-{os.getpid()}").expanduser()
    hidden.mkdir(mode=0o700)
    try:
        with EmbeddedServers(hidden, fsync=False) as servers:
            remember(servers)
            owner = psutil.Process(servers.postgresql.process.pid).uids().real
        assert owner != 0
        assert hidden.stat().st_mode & 0o777 == 0o700
        with supervisor(hidden) as (program, running):
            program.kill()
            _, alive = psutil.wait_procs(running, timeout=30)
        assert not alive
    finally:
        shutil.rmtree(hidden)


@as_root
@pytest.mark.soak
def test_an_ordinary_account_is_served_as_itself(tmp_path_factory):
    nobody = pwd.getpwnam("nobody")
    folder = Path("/tmp") / f"freehold-test-{os.getpid()}"  # noqa: S108 -- pytest's own folders are private
    folder.mkdir()
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    # The capability is for the interpreter's sake, which may be installed where nobody can read it.
    capability = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    prefix = [
        "setpriv",
        f"--reuid={nobody.pw_uid}",
        f"--regid={nobody.pw_gid}",
        "--clear-groups",
        *capability,
    ]
    try:
        with supervisor(folder, *prefix) as (program, running):
            assert {process.uids().real for process in running} == {nobody.pw_uid}
            program.kill()
            _, alive = psutil.wait_procs(running, timeout=30)
        assert not alive
    finally:
        shutil.rmtree(folder)
