"""Everything that carries jobs is killed, again and again, and every job still ends once."""

import itertools
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from redis import Redis
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.children import Child
from tenants.foundation.errors import Unavailable
from tenants.foundation.servers import EmbeddedServers
from tenants.foundation.settings import Settings
from tenants.isolation.door import db, inside
from tenants.jobs.carrier import Carrier
from tenants.jobs.models import Job
from tests import chores
from tests.chores import numbers
from tests.processes import child
from tests.workspace import Workspace

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]
LEASE_SECONDS = 4
FAULTS_FOR_SECONDS = 60
ENDED_WITHIN_SECONDS = 600


class Staff:
    """Workers and schedulers, and whoever falls is started again."""

    def __init__(self, settings: Settings, folder: Path, workers: int, schedulers: int) -> None:
        names = [("worker", n) for n in range(workers)] + [("scheduler", n) for n in range(schedulers)]
        self.children = {
            f"{part}-{n}": child(part, settings, folder / f"{part}-{n}.log", job_lease_seconds=LEASE_SECONDS)
            for part, n in names
        }
        for each in self.children.values():
            each.start()

    def one(self, part: str) -> Child:
        return secrets.choice([each for name, each in self.children.items() if name.startswith(part)])

    def tend(self) -> None:
        for each in self.children.values():
            if not each.is_running:
                each.start()

    def stop(self) -> None:
        for each in self.children.values():
            each.ask_to_stop()
        for each in self.children.values():
            each.stop(10)


@pytest.fixture
def staff(settings: Settings, carrier: Carrier, undisturbed: None, tmp_path: Path) -> Iterator[Staff]:
    made = Staff(settings, tmp_path, workers=3, schedulers=2)
    yield made
    made.stop()
    carrier.redis.flushall()


def accept_many(workspace: Workspace, count: int) -> dict[UUID, list[int]]:
    """Jobs of several kinds, with the numbers of the effects that each should have."""
    asked: dict[UUID, list[int]] = {}
    with inside(workspace.home):
        act_as(SYSTEM, request_id="faults")
        for position in range(count):
            paces = 5 if position % 4 == 0 else 1
            mine = list(itertools.islice(numbers, paces))
            pause = secrets.choice([0.01, 0.05, 0.2, 0.8])
            if paces > 1:
                asked[chores.walk.later(first=mine[0], paces=paces, seconds=pause)] = mine
            elif position % 4 == 1:
                asked[chores.flake.later(number=mine[0], seconds=pause)] = mine
            else:
                asked[chores.do.later(number=mine[0], seconds=pause)] = mine
    return asked


def patiently(question: Callable[[], Any]) -> Any:
    """The answer, once the database is there again."""
    until = time.monotonic() + 60
    while True:
        try:
            return question()
        except (Unavailable, SQLAlchemyError, psycopg.Error):
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def states(workspace: Workspace, ids: list[UUID]) -> Counter[str]:
    with inside(workspace.home):
        rows = db().execute(select(Job.state, func.count()).where(Job.id.in_(ids)).group_by(Job.state))
        return Counter(dict(tuple(row) for row in rows))


@pytest.mark.usefixtures("app")
def test_every_job_ends_once_whatever_is_killed(
    new_workspace, servers: EmbeddedServers, settings: Settings, carrier: Carrier, staff: Staff
) -> None:
    asked = {}
    workspaces = [new_workspace() for _ in range(3)]
    for workspace, count in zip(workspaces, (120, 40, 40), strict=True):
        asked[workspace.home.id] = accept_many(workspace, count)

    def flush() -> None:
        with Redis.from_url(settings.redis_url) as redis:
            redis.flushall()

    def end(server: Child) -> None:
        server.kill()
        time.sleep(1)
        servers.revive()

    faults: list[tuple[str, Callable[[], None]]] = [
        ("worker killed", lambda: staff.one("worker").kill()),
        ("Redis emptied", flush),
        ("scheduler killed", lambda: staff.one("scheduler").kill()),
        ("worker killed", lambda: staff.one("worker").kill()),
        ("PostgreSQL killed", lambda: end(servers.postgresql.process)),
        ("Redis killed", lambda: end(servers.redis.process)),
    ]
    happened: Counter[str] = Counter()
    began = time.monotonic()
    cycle = itertools.cycle(faults)
    left = sum(map(len, asked.values()))
    while left and time.monotonic() - began < ENDED_WITHIN_SECONDS:
        if time.monotonic() - began < FAULTS_FOR_SECONDS:
            name, happen = next(cycle)
            happen()
            happened[name] += 1
        staff.tend()
        time.sleep(2)
        found = [patiently(lambda w=w: states(w, list(asked[w.home.id]))) for w in workspaces]
        left = sum(
            count for each in found for state, count in each.items() if state not in ("succeeded", "failed")
        )
    assert set(happened) == {name for name, _ in faults}
    assert [dict(each) for each in found] == [{"succeeded": len(asked[w.home.id])} for w in workspaces]
    for workspace in workspaces:
        counted = {
            number: chores.marks(workspace.home, number)
            for mine in asked[workspace.home.id].values()
            for number in mine
        }
        assert {number: count for number, count in counted.items() if count != 1} == {}
