"""PostgreSQL is killed again and again while people write, import and export: what was accepted is there, once."""

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tenants.catalog.registry import HOME_KEPT_SECONDS
from tenants.foundation.children import Child
from tenants.foundation.servers import EmbeddedServers
from tenants.portability.verifying import verify
from tests.uploads import upload
from tests.workspace import Client, Workspace

pytestmark = [pytest.mark.soak, pytest.mark.timeout(850)]
CRASHES = 4
WRITERS = 3
ROWS = 300
WITHIN_SECONDS = 400
#: What a request is told that met a server which is gone, or is only just coming back.
AWAY = (503, 429)


@pytest.fixture
def durable(servers: EmbeddedServers) -> Iterator[None]:
    """What is committed outlives a killed server, as it does in production; the tests' servers don't wait for that."""
    names = ("synchronous_commit", "full_page_writes")
    with psycopg.connect(servers.admin_url, autocommit=True) as admin:
        for name in names:
            admin.execute(f"alter system set {name} = on".encode())
        admin.execute("select pg_reload_conf()")
    yield
    with psycopg.connect(servers.admin_url, autocommit=True) as admin:
        for name in names:
            admin.execute(f"alter system reset {name}".encode())
        admin.execute("select pg_reload_conf()")


@dataclass
class Load:
    """What people do all the while, and the statuses that they were answered."""

    app: Flask
    seen: Counter[int] = field(default_factory=Counter)
    enough: threading.Event = field(default_factory=threading.Event)

    def write(self, workspace: Workspace, writer: int) -> list[str]:
        """Contacts, one after another; their names."""
        client, made = self._as_somebody(workspace), []
        while not self.enough.is_set():
            said = {"last_name": f"{writer}.{len(made)}", "city": "Written"}
            self._accepted(lambda headers, said=said: client.post("/contacts", said, headers=headers))
            made.append(said["last_name"])
        return made

    def bring(self, workspace: Workspace, number: int) -> str:
        """An import's path."""
        client = self._as_somebody(workspace)
        text = "Surname,City\n" + "".join(f"{number}.{row},Imported\n" for row in range(ROWS))
        accepted = self._accepted(lambda headers: upload(client, text, "contacts", headers=headers))
        return f"/imports/{accepted['id']}"

    def take(self, workspace: Workspace) -> str:
        """An export's path."""
        client = self._as_somebody(workspace)
        accepted = self._accepted(lambda headers: client.post("/exports", {}, headers=headers))
        return f"/exports/{accepted['id']}"

    def _as_somebody(self, workspace: Workspace) -> Client:
        return Client(self.app.test_client(), workspace.admin.key, workspace.admin.user_id)

    def _accepted(self, ask: Callable[[dict[str, str]], TestResponse]) -> Any:
        """The answer, asked for again under the same key for as long as the database is away."""
        headers = {"Idempotency-Key": secrets.token_hex(8)}
        deadline = time.monotonic() + WITHIN_SECONDS
        while True:
            answer = ask(headers)
            self.seen[answer.status_code] += 1
            if answer.status_code not in AWAY:
                assert answer.status_code in (201, 202), answer.json
                return answer.json
            assert time.monotonic() < deadline
            time.sleep(0.1)


@pytest.mark.usefixtures("durable")
def test_what_was_accepted_is_there_once_however_often_the_database_is_killed(
    app: Flask,
    new_workspace: Callable[[], Workspace],
    servers: EmbeddedServers,
    processes: dict[str, Child],
    tmp_path: Path,
) -> None:
    both, load = [new_workspace(), new_workspace()], Load(app)
    with ThreadPoolExecutor(16) as crew:
        writing = [[crew.submit(load.write, each, number) for number in range(WRITERS)] for each in both]
        jobs = []
        for crash in range(CRASHES):
            jobs += [(each, crew.submit(load.bring, each, crash)) for each in both]
            jobs += [(each, crew.submit(load.take, each)) for each in both[crash % 2 :][:1]]
            time.sleep(1.5)
            servers.postgresql.process.kill()
            time.sleep(0 if crash else HOME_KEPT_SECONDS + 1)  # once for so long that nothing is remembered
            servers.revive()
        time.sleep(1)
        load.enough.set()
        names = [[name for each in mine for name in each.result()] for mine in writing]
        paths = [(each, job.result()) for each, job in jobs]

    assert load.seen[503], "nobody noticed that the database was away"
    ended = [(each, path, _ended(each, path, processes)) for each, path in paths]
    assert {found["status"] for _, _, found in ended} == {"succeeded"}
    imported = Counter(f"{number}.{row}" for number in range(CRASHES) for row in range(ROWS))
    for workspace, mine in zip(both, names, strict=True):
        assert _names(workspace, "Written") == Counter(mine)
        assert _names(workspace, "Imported") == imported
    for workspace, path, _ in ended:
        if path.startswith("/exports"):
            bundle = tmp_path / "bundle.zip"
            bundle.write_bytes(workspace.admin.get(f"{path}/download").data)
            assert verify(bundle).holds


def _ended(workspace: Workspace, path: str, processes: dict[str, Child]) -> Any:
    """What became of a job that runs beside; whoever fell with the database is started again, as ever."""
    deadline = time.monotonic() + WITHIN_SECONDS
    while True:
        found = workspace.admin.get(path).json
        if found["status"] in ("succeeded", "failed", "cancelled"):
            return found
        assert time.monotonic() < deadline, found
        for each in processes.values():
            if not each.is_running:
                each.start()
        time.sleep(0.3)


def _names(workspace: Workspace, city: str) -> Counter[str]:
    """The last names of all contacts of a city, with how often each is there."""
    found: Counter[str] = Counter()
    query = f"/contacts?city={city}&limit=200&sort=id"
    cursor = ""
    while True:
        page = workspace.admin.get(query + (f"&cursor={cursor}" if cursor else "")).json
        found.update(each["last_name"] for each in page["data"])
        cursor = page["next_cursor"]
        if not cursor:
            return found
