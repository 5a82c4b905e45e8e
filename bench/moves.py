"""A large tenant goes to another server while somebody writes: how long that takes, and for how long nobody can write.

Web, both PostgreSQL servers, Redis, the writer and the move share all cores. The tenant is made when it is asked for, and
removed afterwards.
"""

import http.client
import json
import shutil
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from bench import cluster as clusters
from bench.cases import new_contacts
from bench.cluster import Cluster
from bench.data import Size, World
from bench.exports import CORES
from bench.our_side import CONTACTS, Ours
from bench.report import Section
from bench.yielding import home_of
from crm.app import open_house
from crm.schedule import move_works_of
from tenants.foundation.kept_secrets import KeptSecrets
from tenants.isolation.bootstrap import LOGINS, bootstrap
from tenants.lifecycle.moves.models import Move, Step
from tenants.lifecycle.moves.moving import ask_to_move, go_on

TENANT, SECOND = "moving", "second"
COMPANIES, USERS = 5_000, 50
AGAIN_AFTER_SECONDS = 0.05
BODIES = 1_000_000


@dataclass(frozen=True)
class Moved:
    """One move: its rows, the seconds that all of it and the counted pause took, and what became of writes meanwhile.

    `longest_wait` is the longest time between two writes that were accepted, as the writer saw it.
    """

    contacts: int
    rows: int
    seconds: float
    pause: float
    written: int
    refused: int
    longest_wait: float


@dataclass
class Writer:
    """Creates one contact after another over one connection. One that is refused is tried again, as clients do."""

    ours: Ours
    world: World
    accepted: list[float] = field(default_factory=list)
    refused: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    problem: BaseException | None = None

    def run(self) -> None:
        try:
            self._write()
        except BaseException as problem:
            self.problem = problem
            raise

    def _write(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.ours.port, timeout=60)
        headers = {
            "Authorization": f"Bearer {self.ours.tenants.key(TENANT)}",
            "Content-Type": "application/json",
        }
        for body in new_contacts(self.world, BODIES):
            while not self.over.is_set():
                connection.request("POST", CONTACTS, json.dumps(body), headers)
                answer = connection.getresponse()
                content = answer.read()
                if answer.status == http.client.CREATED:
                    self.accepted.append(time.monotonic())
                    break
                assert answer.status == http.client.SERVICE_UNAVAILABLE, content
                self.refused += 1
                time.sleep(AGAIN_AFTER_SECONDS)

    def longest_wait(self) -> float:
        return max(later - former for former, later in pairwise(self.accepted))


def run(data_dir: Path, contacts: int) -> Moved:
    """Make the tenant, move it once, and remove everything again."""
    folder = data_dir / "moves"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        with ExitStack() as stack:
            first = stack.enter_context(clusters.running(folder / "first", cores=CORES))
            second = stack.enter_context(clusters.running(folder / SECOND, cores=CORES))
            world = World(Size(contacts, COMPANIES, USERS), 1)
            cells = {"FREEHOLD_CELLS": json.dumps({SECOND: _logins_of(second)})}
            ours = Ours(first, {TENANT: world}, cells)
            ours.tenants.make({TENANT: world}, empty=0)
            stack.enter_context(ours.running(CORES))
            return _moved(ours, world, cells)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _logins_of(cluster: Cluster) -> dict[str, str]:
    kept = KeptSecrets(cluster.data_dir / "passwords.json")
    made = bootstrap(cluster.admin_url, {login: kept.of(login) for login in LOGINS})
    return {"app": made.app, "staff": made.staff, "owner": made.owner}


def _moved(ours: Ours, world: World, cells: dict[str, str]) -> Moved:
    owner = {"FREEHOLD_OWNER_DATABASE_URL": ours.tenants.logins.owner}
    settings = ours.tenants.settings(**cells, **owner)
    works = move_works_of(settings, open_house(settings).catalog)
    writer = Writer(ours, world)
    thread = threading.Thread(target=writer.run)
    thread.start()
    try:
        began = time.monotonic()
        move_id = ask_to_move(works, home_of(ours, TENANT).id, SECOND, "It is measured.")
        go_on(works, move_id)
        took = time.monotonic() - began
        _until_written_again(writer)
    finally:
        writer.over.set()
        thread.join()
    with works.catalog.transaction() as session:
        move = session.get_one(Move, move_id)
    assert writer.problem is None
    assert move.step == Step.KEPT, move.error
    assert move.rows is not None
    assert move.pause_seconds is not None
    return Moved(
        world.size.contacts, move.rows, took, move.pause_seconds, len(writer.accepted), writer.refused,
        writer.longest_wait(),
    )  # fmt: skip


def _until_written_again(writer: Writer) -> None:
    before, deadline = len(writer.accepted), time.monotonic() + 60
    while len(writer.accepted) <= before:
        assert time.monotonic() < deadline, "Nobody can write there."
        time.sleep(AGAIN_AFTER_SECONDS)


def sections(found: Moved) -> list[Section]:
    row = [
        f"{found.contacts:,} contacts, {found.rows:,} rows in all",
        f"{found.seconds:.0f} s",
        f"{found.pause:.1f} s",
        f"{found.longest_wait:.1f} s",
        f"{found.written:,}",
        f"{found.refused:,}",
    ]
    columns = [
        "tenant",
        "move",
        "pause as counted",
        "longest wait as seen",
        "writes accepted",
        "refused (503)",
    ]
    return [
        Section("Move of a large tenant to another server while one program writes", columns, [row], NOTE)
    ]


NOTE = (
    "A write that is refused comes again every 50 ms."
    " Both servers, the web process, the writer and the move share all cores."
)
