"""PgBouncer in between: it gives each transaction another connection, and tenants stay apart all the same."""

import shutil
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from sqlalchemy.engine import URL, make_url

from tenants.foundation.children import Child
from tenants.foundation.servers.account import Account
from tenants.foundation.settings import Settings
from tenants.isolation import door
from tenants.isolation.cells import Cells
from tenants.isolation.conninfo import conninfo
from tenants.isolation.door import open_doors
from tests.workspace import Client, Workspace

PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
CONNECTIONS, THREADS, ROUNDS = 2, 6, 10


@pytest.fixture
def pooler(settings: Settings, tmp_path: Path) -> Iterator[URL]:
    """A pooler with two connections to give away; the URL leads through it."""
    if PGBOUNCER is None:
        pytest.skip("PgBouncer is not installed")
    url = make_url(settings.database_url)
    port = _free_port()
    account = Account.for_data_in(tmp_path)  # it refuses to run as root, as PostgreSQL does
    command = [PGBOUNCER, "-q", str(_settings_file(tmp_path, url, port))]
    child = Child(
        "pgbouncer", account.command(command, signal.SIGINT, tmp_path / "ini"), log=tmp_path / "log"
    )
    child.start()
    through = url.set(host="127.0.0.1", port=port, query={})
    try:
        _wait_for(through, child)
        yield through
    finally:
        child.stop()


@pytest.fixture
def through_the_pooler(app: Flask, pooler: URL) -> Iterator[None]:
    """Every door of this process leads through the pooler."""
    before = door._cells[0]
    url = pooler.render_as_string(hide_password=False)
    cells = Cells({"main": url}, pool_size=THREADS, prepare=False)
    open_doors(cells)
    yield
    open_doors(before)
    cells.dispose()


@pytest.mark.usefixtures("through_the_pooler")
def test_transactions_that_share_connections_stay_with_their_tenants(
    app: Flask, acme: Workspace, neighbour: Workspace
) -> None:
    begun = threading.Barrier(THREADS)
    workspaces = {"acme": acme, "neighbour": neighbour}

    def work(number: int) -> set[str]:
        name = ("acme", "neighbour")[number % 2]
        own = workspaces[name]
        client = Client(app.test_client(), own.admin.key, own.admin.user_id)
        begun.wait()
        seen = set()
        for turn in range(ROUNDS):
            made = client.post(
                "/contacts", {"last_name": f"{name} {number}.{turn}", "city": "Behind a pooler"}
            )
            assert made.status_code == 201, made.json
            assert client.patch(f"/contacts/{made.json['id']}", {"job_title": "Changed"}).status_code == 200
            page = client.get("/contacts?city=Behind a pooler&limit=200&include=owner").json["data"]
            seen |= {each["last_name"].split()[0] for each in page} | {client.get("/me").json["tenant"]["id"]}
        return seen

    with ThreadPoolExecutor(THREADS) as crew:
        seen = list(crew.map(work, range(THREADS)))

    for number, found in enumerate(seen):
        name = ("acme", "neighbour")[number % 2]
        assert found == {name, str(workspaces[name].home.id)}


def _settings_file(folder: Path, url: URL, port: int) -> Path:
    users, ini = folder / "users", folder / "ini"
    users.write_text(f'"{url.username}" "{url.password}"\n')
    where = f"host={url.query.get('host') or url.host} port={url.query.get('port') or url.port or 5432}"
    ini.write_text(
        f"[databases]\n{url.database} = {where}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n"
        f"unix_socket_dir =\nauth_type = plain\nauth_file = {users}\npool_mode = transaction\n"
        f"default_pool_size = {CONNECTIONS}\n"
    )
    return ini


def _wait_for(url: URL, child: Child) -> None:
    for _ in range(100):
        assert child.is_running, child.last_words(5)
        try:
            psycopg.connect(conninfo(url), prepare_threshold=None).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(child.last_words(5))


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
