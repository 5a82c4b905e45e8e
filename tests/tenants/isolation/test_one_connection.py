"""One connection for everybody: requests and jobs of two tenants take turns on it, and nothing stays on it."""

import io
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask
from psycopg import sql
from sqlalchemy import event

from tenants.foundation.settings import Settings
from tenants.isolation import door
from tenants.isolation.cells import Cells
from tenants.isolation.door import db, engine_of, inside, is_inside, open_doors
from tenants.isolation.reading import Question, read
from tests.jobs import RunJobs
from tests.workspace import Client, Workspace

STATE = """
select current_user, session_user, current_setting('role'), current_setting('search_path'),
  current_setting('statement_timeout'), current_setting('transaction_read_only'),
  (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid())"""
CLEAN = ("freehold_app", "freehold_app", "none", '"$user"', "30s", "off", 0)
THREADS, ROUNDS = 8, 12


@dataclass
class Left:
    """How the connection was found each time somebody gave it back."""

    states: list[tuple[Any, ...]] = field(default_factory=list)
    backends: set[int] = field(default_factory=set)


@pytest.fixture
def one_connection(app: Flask, settings: Settings, run_jobs: RunJobs) -> Iterator[Left]:
    """Every door of this process leads over one connection; what it is left like is looked at each time."""
    run_jobs()  # an export that another test left behind needs a second connection for its progress
    before = door._cells[0]
    cells = Cells({"main": settings.database_url}, pool_size=1)
    open_doors(cells)
    left = Left()

    def look(driver: psycopg.Connection | None, _entry: object) -> None:
        if driver is not None and not driver.closed:
            assert driver.info.transaction_status is psycopg.pq.TransactionStatus.IDLE
            left.states.append(driver.execute(STATE).fetchone())
            left.backends.add(driver.info.backend_pid)

    event.listen(cells.engine("main"), "checkin", look)
    yield left
    open_doors(before)
    cells.dispose()


def _import_one(client: Client, name: str) -> None:
    data = {
        "resource": "contacts",
        "file": (io.BytesIO(f"last_name\n{name} imported\n".encode()), "c.csv"),
    }
    assert client.post("/imports", data=data, content_type="multipart/form-data").status_code == 202


@pytest.mark.soak
def test_two_tenants_take_turns_on_one_connection(
    app: Flask, acme: Workspace, neighbour: Workspace, one_connection: Left, run_jobs: RunJobs
) -> None:
    begun = threading.Barrier(THREADS)
    workspaces = {"acme": acme, "neighbour": neighbour}

    def work(number: int) -> list[str]:
        name = ("acme", "neighbour")[number % 2]
        own, others = workspaces[name], workspaces[("neighbour", "acme")[number % 2]]
        client = Client(app.test_client(), own.admin.key, own.admin.user_id)
        foreign = others.home.id  # no record has this id: it is a stranger's in any case
        begun.wait()
        seen = []
        for turn in range(ROUNDS):
            if turn == ROUNDS // 3:
                _import_one(client, name)
            made = client.post(
                "/contacts", {"last_name": f"{name} {number}.{turn}", "city": "One connection"}
            )
            assert made.status_code == 201, made.json
            client.patch(f"/contacts/{made.json['id']}", {"job_title": "Changed"})
            assert client.post("/contacts", {"last_name": "x", "company_id": str(foreign)}).status_code == 422
            assert client.get("/contacts?nonsense=1").status_code == 422
            page = client.get("/contacts?city=One connection&sort=-id&limit=200&include=owner").json["data"]
            seen += [each["last_name"].split()[0] for each in page]
            seen += [client.get("/me").json["tenant"]["id"]]
        return seen

    with ThreadPoolExecutor(THREADS) as crew:
        working = [crew.submit(work, number) for number in range(THREADS)]
        while not all(each.done() for each in working):
            run_jobs()
        seen = [each.result() for each in working]
    run_jobs()

    for number, found in enumerate(seen):
        name = ("acme", "neighbour")[number % 2]
        assert set(found) == {name, str(workspaces[name].home.id)}
    for name, workspace in workspaces.items():
        imported = workspace.admin.get("/contacts?last_name[contains]=imported&limit=200").json["data"]
        assert [each["last_name"] for each in imported] == [f"{name} imported"] * (THREADS // 2)
    assert len(one_connection.states) > THREADS * ROUNDS
    assert set(one_connection.states) == {CLEAN}
    assert len(one_connection.backends) == 1


@pytest.mark.parametrize(
    "breaks",
    [
        lambda: db().execute(sa.text("select * from nowhere")),
        lambda: db().execute(sa.text("select 1 / 0")),
        lambda: (_ for _ in ()).throw(KeyError("nobody foresaw this")),
        lambda: db().execute(sa.text("select pg_terminate_backend(pg_backend_pid())")),
    ],
    ids=["a wrong statement", "an error of the data", "an error of ours", "the end of the connection"],
)
def test_a_transaction_that_breaks_leaves_no_role_behind(
    acme: Workspace, neighbour: Workspace, one_connection: Left, breaks: Callable[[], object]
) -> None:
    with pytest.raises(Exception), inside(acme.home):  # noqa: B017, PT011 - whatever it is, see what is left
        breaks()
    assert not is_inside()
    with inside(neighbour.home):
        assert db().scalar(sa.text("select current_user")) == neighbour.home.role
        assert db().scalar(sa.text("select id from tenant_profile")) == neighbour.home.id
    assert set(one_connection.states) == {CLEAN}


def test_a_read_that_breaks_leaves_no_role_behind(
    acme: Workspace, neighbour: Workspace, one_connection: Left
) -> None:
    with pytest.raises(psycopg.Error):
        read(acme.home, Question("select current_user", {}), Question("select 1 / 0", {}))
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        read(acme.home, Question("delete from contacts", {}))
    assert read(neighbour.home, Question("select current_user", {})) == [[(neighbour.home.role,)]]
    assert set(one_connection.states) == {CLEAN}


def test_patience_and_isolation_end_with_their_transaction(
    acme: Workspace, neighbour: Workspace, one_connection: Left
) -> None:
    with inside(acme.home, patience_seconds=600, isolation="isolation level repeatable read read only"):
        assert db().scalar(sa.text("show statement_timeout")) == "10min"
        assert db().scalar(sa.text("show transaction_isolation")) == "repeatable read"
    with inside(neighbour.home):
        assert db().scalar(sa.text("show statement_timeout")) == "30s"
        assert db().scalar(sa.text("show transaction_isolation")) == "read committed"
    assert set(one_connection.states) == {CLEAN}


def test_no_door_opens_inside_another(acme: Workspace, neighbour: Workspace) -> None:
    with inside(acme.home):
        for home in (neighbour.home, acme.home):
            with pytest.raises(RuntimeError, match="inside another"), inside(home):
                pass
        assert db().scalar(sa.text("select current_user")) == acme.home.role


def test_nothing_is_asked_outside_of_a_door(acme: Workspace, neighbour: Workspace) -> None:
    with pytest.raises(RuntimeError, match="inside a tenant only"):
        db()
    with engine_of(acme.home).connect() as connection, pytest.raises(RuntimeError, match="outside the door"):
        connection.execute(sa.text("select 1"))
    for workspace in (acme, neighbour):
        contacts = sql.SQL("select * from {}").format(sql.Identifier(workspace.home.role, "contacts"))
        raw = engine_of(workspace.home).raw_connection()
        try:
            with pytest.raises(psycopg.errors.UndefinedTable):
                raw.driver_connection.execute("select * from contacts")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                raw.driver_connection.execute(contacts)
        finally:
            raw.close()


def test_what_a_pooler_forgets_between_transactions_is_not_missed(
    app: Flask, settings: Settings, acme: Workspace, neighbour: Workspace
) -> None:
    """A transaction-pooling PgBouncer hands each transaction to any server connection: keep nothing on a session."""
    before = door._cells[0]
    cells = Cells({"main": settings.database_url}, pool_size=2)
    open_doors(cells)

    @event.listens_for(cells.engine("main"), "checkin")
    def forget(driver: psycopg.Connection | None, _entry: object) -> None:
        if driver is not None:
            for statement in (
                "reset all",
                "discard temp",
                "discard sequences",
                "select pg_advisory_unlock_all()",
            ):
                driver.execute(statement)

    try:
        for number in range(6):
            for name, workspace in (("acme", acme), ("neighbour", neighbour)):
                made = workspace.admin.post("/contacts", {"last_name": f"{name} pooled {number}"})
                assert workspace.admin.get(f"/contacts/{made.json['id']}").json["last_name"].startswith(name)
        for name, workspace in (("acme", acme), ("neighbour", neighbour)):
            found = workspace.admin.get("/contacts?last_name[contains]=pooled").json["data"]
            assert {each["last_name"].split()[0] for each in found} == {name}
    finally:
        open_doors(before)
        cells.dispose()
