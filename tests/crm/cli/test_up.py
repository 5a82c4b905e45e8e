"""`freehold up` brings everything up from nothing, looks after it, and takes all of it down again."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from dotenv import dotenv_values

from tenants.foundation.servers import EmbeddedServers
from tenants.foundation.settings import Settings, env_name

pytestmark = pytest.mark.soak

ROOT = Path(__file__).parents[3]
CLI = [sys.executable, "-m", "crm.cli"]
PATIENCE = 180.0


def environment(**more: str) -> dict[str, str]:
    """Ours without a setting of Freehold."""
    settings = {env_name(field) for field in Settings.model_fields}
    return {name: value for name, value in os.environ.items() if name not in settings} | more


class Up:
    """A running `freehold up`, seen from outside."""

    def __init__(self, data_dir: Path, port: int, program: subprocess.Popen[str]) -> None:
        self.data_dir = data_dir
        self.url = f"http://127.0.0.1:{port}"
        self.program = program
        self.process = psutil.Process(program.pid)
        self.said: list[str] = []

    def health(self) -> int:
        try:
            with urllib.request.urlopen(f"{self.url}/health/ready", timeout=5) as answer:
                return answer.status
        except (urllib.error.URLError, OSError):
            return 0

    def family(self) -> list[psutil.Process]:
        return self.process.children(recursive=True)

    def child(self, *words: str) -> psutil.Process:
        for process in self.process.children():
            with suppress(psutil.NoSuchProcess):  # one that was killed is buried at any moment
                if all(word in " ".join(process.cmdline()) for word in words):
                    return process
        raise AssertionError(f"no child runs {words}")

    def freehold(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*CLI, *arguments, "--data-dir", str(self.data_dir)]
        return subprocess.run(
            command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False
        )


def is_dead(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.1)


@contextmanager
def running(data_dir: Path, port: int, *, demo: bool = False, **settings: str) -> Iterator[Up]:
    """`freehold up`, ready; killed at the end together with whatever it started."""
    command = [*CLI, "up", "--port", str(port), "--data-dir", str(data_dir)]
    command.append("--demo" if demo else "--no-demo")
    program = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(**settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    up = Up(data_dir, port, program)
    family: list[psutil.Process] = []
    try:
        for line in program.stdout:
            up.said.append(line)
            if "is ready at" in line:
                break
        else:
            raise AssertionError(f"it ended: {up.said}")
        family = up.family()
        yield up
    finally:
        program.kill()
        program.wait()
        program.stdout.close()
        _, alive = psutil.wait_procs(family, timeout=90)
        assert not alive, f"left behind: {[process.cmdline() for process in alive]}"


def test_up_serves_and_goes_down_in_good_order(tmp_path, free_port):
    with running(tmp_path, free_port) as up:
        assert up.health() == 200
        assert (tmp_path / "env").stat().st_mode & 0o777 == 0o600
        assert dotenv_values(tmp_path / "env")["FREEHOLD_PUBLIC_URL"] == up.url
        assert json.loads(up.freehold("doctor", "--json").stdout)["well"] is True
        assert json.loads(up.freehold("migrate", "--json").stdout)["failed"] == {}

        family = up.family()
        up.program.send_signal(signal.SIGTERM)

        assert up.program.wait(PATIENCE) == 0
        assert psutil.wait_procs(family, timeout=5)[1] == []


def test_only_the_scheduler_holds_the_owners_login(tmp_path, free_port):
    with running(tmp_path, free_port) as up:
        for command in ("serve", "worker"):
            program = up.child("crm.cli", command)
            for process in (program, *program.children(recursive=True)):
                assert process.environ()["FREEHOLD_OWNER_DATABASE_URL"] == ""


@pytest.mark.timeout(600)
def test_what_is_killed_comes_back(tmp_path, free_port):
    with running(tmp_path, free_port) as up:
        for words in (["serve"], ["worker"], ["scheduler"], ["postgres", "-D"], ["redis-server"]):
            victim = up.child(*words)
            victim.kill()
            eventually(lambda gone=victim: is_dead(gone))
            eventually(lambda: up.health() == 200)
        assert up.program.poll() is None


@pytest.mark.timeout(600)
def test_killed_itself_it_leaves_nobody_and_starts_again(tmp_path, free_port):
    with running(tmp_path, free_port) as up:
        everyone = [up.process, *up.family()]
        for process in everyone:
            process.kill()
        up.program.wait()
    with running(tmp_path, free_port) as up:
        assert up.health() == 200


def test_with_an_administrators_url_no_database_is_started(tmp_path, free_port):
    with EmbeddedServers(tmp_path / "elsewhere", fsync=False) as given:
        urls = {"DATABASE_URL": given.admin_url, "REDIS_URL": given.redis_url}
        with running(tmp_path / "here", free_port, **urls) as up:
            names = {process.name() for process in up.family()}

            assert up.health() == 200
            assert not names & {"postgres", "redis-server"}
            kept = dotenv_values(tmp_path / "here" / "env")
            assert kept["DATABASE_URL"].startswith("postgresql://freehold_app:")
            assert not (tmp_path / "here" / "postgresql").exists()


@pytest.mark.timeout(600)
def test_the_demo_shows_sign_ins_that_work(tmp_path, free_port):
    with running(tmp_path, free_port, demo=True) as up:
        line = next(line for line in up.said if "read-only" in line)
        tenant = line.split()[0]
        email = next(word for word in line.split() if "@" in word)
        password = line.partition(email)[2].strip()
        body = json.dumps({"tenant": tenant, "email": email, "password": password}).encode()
        asked = urllib.request.Request(
            f"{up.url}/api/v1/sessions", body, {"Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(asked, timeout=60) as answer:
            assert answer.status == 201


@pytest.mark.timeout(600)
def test_whose_database_was_removed_starts_again_once_its_places_are_adopted(tmp_path, free_port):
    """No server runs then: the commands that the sentence names bring their own."""
    marks = [tmp_path / name / "installation" / f"{name}.json" for name in ("storage", "backups", "keyring")]
    with running(tmp_path, free_port) as up:
        eventually(lambda: all(mark.exists() for mark in marks))
    shutil.rmtree(tmp_path / "postgresql")
    refused = up.freehold("up", "--no-demo", "--port", str(free_port))
    assert refused.returncode == 1
    assert "`freehold place adopt storage backups keyring`" in refused.stderr

    listed = up.freehold("place", "list", "--json")
    assert [each["says"] for each in json.loads(listed.stdout)["places"]] == ["another's"] * 3
    adopted = up.freehold("place", "adopt", "storage", "backups", "keyring")
    assert adopted.returncode == 0, adopted.stderr
    with running(tmp_path, free_port) as up:
        assert up.health() == 200
        assert up.freehold("place", "list").returncode == 0, "while it runs they use what is there"
