"""What `serve` writes leads where it listens, unless somebody said otherwise; and nobody is kept waiting by the slow."""

import os
import socket
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tenants.foundation.children import Child
from tenants.foundation.settings import Settings, env_name
from tests.workspace import Workspace

PUBLIC = env_name("public_url")
pytestmark = pytest.mark.soak


@contextmanager
def serving(settings: Settings, port: int, folder: Path, **said: str) -> Iterator[str]:
    """Where the web answers, as a process of its own; `said` are settings from the environment."""
    values = settings.model_dump(
        exclude={"cells", "data_dir", "region_storage", "region_backups", "public_url"}
    )
    given = {env_name(name): str(value) for name, value in values.items() if value is not None}
    kept = {name: value for name, value in os.environ.items() if name != PUBLIC}
    words = [sys.executable, "-m", "crm.cli", "serve", "--port", str(port), "--data-dir", str(folder)]
    web = Child("web", words, log=folder / "web.log", environment={**kept, **given, **said})
    web.start()
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 120
        while not answers(address):
            assert time.monotonic() < deadline, (folder / "web.log").read_text()
            time.sleep(0.1)
        yield address
    finally:
        web.stop(20)


def answers(address: str) -> bool:
    try:
        return bool(got(f"{address}/health/live"))
    except OSError:
        return False


def got(url: str, key: str = "") -> str:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"} if key else {})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(answer.read().decode())


def test_what_it_says_of_itself_is_where_it_listens(
    acme: Workspace, neighbour: Workspace, settings: Settings, free_port: int, tmp_path: Path
) -> None:
    with serving(settings, free_port, tmp_path) as address:
        assert f"{address}/api/v1/contacts" in got(f"{address}/")
        for each in (acme, neighbour):
            assert address in got(f"{address}/.well-known/oauth-authorization-server")
            assert str(each.home.id) in got(f"{address}/api/v1/me", each.admin.key)


@pytest.mark.parametrize("where", ["environment", "file"])
def test_what_somebody_said_counts(
    acme: Workspace, neighbour: Workspace, settings: Settings, free_port: int, tmp_path: Path, where: str
) -> None:  # fmt: skip
    public = "https://crm.acme.test"
    said = {PUBLIC: public} if where == "environment" else {}
    (tmp_path / "env").write_text("" if said else f"{PUBLIC}='{public}'\n")
    with serving(settings, free_port, tmp_path, **said) as address:
        assert f"{public}/api/v1/contacts" in got(f"{address}/")
        for each in (acme, neighbour):
            assert str(each.home.id) in got(f"{address}/api/v1/me", each.admin.key)


def test_who_sends_a_byte_and_waits_keeps_nobody_from_an_answer(
    acme: Workspace, neighbour: Workspace, settings: Settings, free_port: int, tmp_path: Path
) -> None:
    said = {env_name("web_workers"): "1", env_name("web_threads"): "2"}
    lengths = ("Content-Length: 100", "Content-Length: 100000", "Transfer-Encoding: chunked")
    with serving(settings, free_port, tmp_path, **said) as address, ExitStack() as connections:
        for number in range(120):
            begun = socket.create_connection(
                ("127.0.0.1", free_port), source_address=(f"127.0.0.{2 + number % 3}", 0)
            )
            connections.callback(begun.close)
            begun.sendall(
                f"POST /api/v1/contacts HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n"
                f"Authorization: Bearer {acme.admin.key}\r\n{lengths[number % 3]}\r\n\r\n1\r\n{{".encode()
            )
        for each in (acme, neighbour):
            assert str(each.home.id) in got(f"{address}/api/v1/me", each.admin.key)
            asked = urllib.request.Request(
                f"{address}/api/v1/contacts", b'{"last_name": "Quick"}',
                {"Authorization": f"Bearer {each.admin.key}", "Content-Type": "application/json"},
            )  # fmt: skip
            with urllib.request.urlopen(asked, timeout=10) as answer:
                assert answer.status == 201
