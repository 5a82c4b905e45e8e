"""Starts what is measured, bound to its cores, and ends it again."""

import http.client
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.processor_time import tree

START_WITHIN = 60
STOP_WITHIN = 15


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def bind_to_cores(pid: int, cores: set[int]) -> None:
    """The process and what it has started; what it starts later inherits it."""
    for each in tree(pid):
        os.sched_setaffinity(each, cores)


@contextmanager
def web_server(
    command: Sequence[str], *, port: int, environment: Mapping[str, str], cores: set[int], log: Path
) -> Iterator[int]:
    """Runs a web server until the block ends; gives its process id once it answers."""
    log.parent.mkdir(parents=True, exist_ok=True)
    pinned = ["taskset", "-c", ",".join(map(str, sorted(cores))), *command]
    with log.open("wb") as output:
        process = subprocess.Popen(
            pinned, env={**os.environ, **environment}, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            _wait_until_it_answers(process, port, log)
            yield process.pid
        finally:
            _stop(process)


@contextmanager
def program(
    command: Sequence[str], *, environment: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a program that serves nothing over HTTP until the block ends."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            yield process
        finally:
            _stop(process)


def must_run(process: subprocess.Popen[bytes], log: Path) -> None:
    """Raises RuntimeError, with its last words, when the program has ended."""
    if process.poll() is not None:
        raise RuntimeError(f"A program has ended: {log.read_text()[-1000:]}")


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"The server ended at once: {log.read_text()[-2000:]}")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_WITHIN)
        try:
            connection.request("GET", "/")
            connection.getresponse()
        except ConnectionError:
            time.sleep(0.1)
        else:
            return
        finally:
            connection.close()
    raise RuntimeError(f"The server on port {port} did not start within {START_WITHIN} seconds; see {log}.")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
