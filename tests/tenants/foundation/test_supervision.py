"""Programs are kept running, ended with us, and stopped in order."""

import sys
import time
from pathlib import Path

import psutil
import pytest

from tenants.foundation.children import LARGEST_LOG, Child
from tenants.foundation.supervision import LONGEST_WAIT, SHORTEST_WAIT, WELL_AFTER, Supervisor

SLEEPS = [sys.executable, "-c", "import time; time.sleep(600)"]
FAILS = [sys.executable, "-c", "print('no such luck'); raise SystemExit(3)"]


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def news():
    return []


@pytest.fixture
def supervisor(clock, news):
    watching = Supervisor(news.append, clock)
    yield watching
    watching.stop()


def ended(child: Child) -> Child:
    while child.is_running:
        time.sleep(0.01)
    return child


def test_a_program_that_was_killed_is_started_again(supervisor, clock):
    child = Child("sleeper", SLEEPS)
    supervisor.start(child)
    first = child.pid
    child.kill()

    supervisor.tend()
    assert not child.is_running

    clock.now += SHORTEST_WAIT
    supervisor.tend()
    assert child.is_running
    assert child.pid != first


def test_one_that_keeps_failing_waits_longer_each_time(supervisor, clock, news, tmp_path):
    child = Child("failure", FAILS, log=tmp_path / "log")
    supervisor.start(child)
    for wait in (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, LONGEST_WAIT, LONGEST_WAIT):
        ended(child)
        supervisor.tend()
        assert news[-1] == f"failure ended with status 3 (no such luck); it starts again in {wait:.1f} s."
        clock.now += wait
        supervisor.tend()


def test_one_that_was_well_for_a_while_starts_at_once_again(supervisor, clock, news):
    child = Child("failure", FAILS)
    supervisor.start(child)
    for _ in range(3):
        ended(child)
        supervisor.tend()
        clock.now += LONGEST_WAIT
        supervisor.tend()
    ended(child)
    clock.now += WELL_AFTER + 1
    supervisor.tend()

    assert f"in {SHORTEST_WAIT:.1f} s" in news[-1]


def test_one_that_ended_well_after_a_while_is_renewed_without_a_word(supervisor, clock, news):
    child = Child("renewed", [sys.executable, "-c", ""])
    supervisor.start(child)
    first = ended(child).pid
    clock.now += WELL_AFTER + 1
    supervisor.tend()
    supervisor.tend()

    assert child.pid != first
    assert news == []


def test_all_are_stopped_the_other_way_round(tmp_path):
    order = tmp_path / "order"
    script = (
        "import signal, sys, time\n"
        "def stop(*_):\n"
        f"    open({str(order)!r}, 'a').write(sys.argv[1]); sys.exit()\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "print('ready', flush=True)\n"
        "time.sleep(600)\n"
    )
    watching = Supervisor(print)
    children = [Child(name, [sys.executable, "-c", script, name], log=tmp_path / name) for name in "abc"]
    for child in children:
        watching.start(child)
    while not all(child.last_words() == "ready" for child in children):
        assert all(child.is_running for child in children)

    watching.stop()

    assert order.read_text() == "cba"


def test_one_that_does_not_listen_is_ended_by_force(tmp_path):
    deaf = (
        "import signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('ready', flush=True)\n"
        "time.sleep(600)\n"
    )
    child = Child("deaf", [sys.executable, "-c", deaf], log=tmp_path / "log")
    child.start()
    while child.last_words() != "ready":
        assert child.is_running

    child.stop(patience=0.1)

    assert not child.is_running


def test_what_a_program_left_behind_is_ended_with_it(tmp_path):
    parent = f"import subprocess; print(subprocess.Popen({SLEEPS!r}).pid, flush=True)"
    child = Child("parent", [sys.executable, "-c", parent], log=tmp_path / "log")
    child.start()
    ended(child)
    left = psutil.Process(int(child.last_words()))

    child.kill()

    assert psutil.wait_procs([left], timeout=30)[1] == []


def test_a_large_log_is_put_aside_at_the_next_start(tmp_path):
    log: Path = tmp_path / "log"
    log.write_bytes(b"x" * (LARGEST_LOG + 1))
    child = Child("failure", FAILS, log=log)

    child.start()
    ended(child)

    assert child.last_words() == "no such luck"
    assert log.stat().st_size < 100
    assert (tmp_path / "log.1").stat().st_size > LARGEST_LOG
    child.stop()
