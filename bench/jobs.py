"""A small job end to end, beside RQ's forking worker, and what a neighbour's flood does to it."""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from uuid import UUID

import psycopg
from redis import Redis
from rq import Queue
from sqlalchemy import func, select

from bench import cluster as clusters
from bench.chores import PEER_QUEUE, busy, peer_small, small
from bench.cluster import Cluster
from bench.our_tenants import OurTenants
from bench.report import Section, against
from bench.trials import DATABASE_CORE, WEB_CORE
from crm.app import open_house
from tenants.access.caller import SYSTEM, act_as
from tenants.catalog.registry import Home
from tenants.foundation.children import Child
from tenants.foundation.clock import now
from tenants.foundation.settings import Settings
from tenants.isolation.door import db, inside
from tenants.jobs.models import Job
from tenants.jobs.registry import Work

BACKLOG = 200
ALONE = 40
FLOOD, FEW = 120, 5
BUSY_SECONDS = 0.15
FASTER, BEHIND_A_FLOOD_SECONDS = 3.0, 1.5
WAITED_AT_MOST = 180.0
#: How often we look whether all have ended; the moments themselves are on record.
LOOK_SECONDS = 0.05
FLOODING, SMALL = "neighbour-0", ("neighbour-1", "neighbour-2")
Milliseconds = float


@dataclass(frozen=True)
class JobFigure:
    """What one sample gave, in milliseconds: of one job alone, and of each in a backlog."""

    side: str
    alone: Milliseconds
    in_a_backlog: Milliseconds


@dataclass(frozen=True)
class FloodFigure:
    """From being asked for to its end, in seconds: the median of each tenant's jobs."""

    flooding: float
    others: float


class Benchmark:
    """Both sides on one cluster; only the side that is measured runs."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.tenants = OurTenants(cluster)
        self.tenants.make({}, empty=3)
        self._environment = {
            **self.tenants.environment,
            "PEER_DATABASE_URL": cluster.admin_url,
        }
        os.environ.update(self._environment)
        open_house(Settings.read())
        with cluster.connect() as connection:
            connection.execute(
                "create table if not exists peer_effects"
                " (number int, at timestamptz default clock_timestamp())"
            )

    def home(self, name: str) -> Home:
        return Home(UUID(hex=self.tenants.role(name).removeprefix("t_")), "main")

    @contextmanager
    def staff(self, *parts: str) -> Iterator[None]:
        """These processes, on the core where the web process runs in other benchmarks."""
        core = ",".join(map(str, sorted(WEB_CORE)))
        children = [
            Child(
                f"{part}-{number}",
                ["taskset", "-c", core, sys.executable, "-m", "bench.job_side", part],
                log=self._cluster.data_dir / "log" / f"{part}-{number}.log",
                environment={**os.environ, **self._environment},
            )
            for number, part in enumerate(parts)
        ]
        with ExitStack() as stack:
            for child in children:
                child.start()
                stack.callback(child.stop)
            yield

    def ours(self) -> JobFigure:
        with self.staff("scheduler", "worker"):
            self._one_by_one(5)
            alone = self._one_by_one(ALONE)
            began = now()
            ids = ask(self.home(FLOODING), small, [{"number": number} for number in range(BACKLOG)])
            seconds = ended(self.home(FLOODING), ids, began)
        return JobFigure("freehold", alone, max(seconds) / BACKLOG * 1000)

    def _one_by_one(self, count: int) -> Milliseconds:
        taken = []
        for number in range(count):
            ids = ask(self.home(FLOODING), small, [{"number": number}])
            taken += ended(self.home(FLOODING), ids)
        return median(taken) * 1000

    def peer(self) -> JobFigure:
        with Redis.from_url(self._cluster.redis_url) as redis, self.staff("peer"):
            queue = Queue(PEER_QUEUE, connection=redis)
            self._peer_one_by_one(queue, 5)
            alone = self._peer_one_by_one(queue, ALONE)
            began = self._empty_peer()
            for number in range(BACKLOG):
                queue.enqueue(peer_small, number)
            seconds = self._peer_ended(BACKLOG, began)
        return JobFigure("RQ, forking", alone, max(seconds) / BACKLOG * 1000)

    def _peer_one_by_one(self, queue: Queue, count: int) -> Milliseconds:
        taken = []
        for number in range(count):
            began = self._empty_peer()
            queue.enqueue(peer_small, number)
            taken += self._peer_ended(1, began)
        return median(taken) * 1000

    def _empty_peer(self) -> datetime:
        with self._cluster.connect() as connection:
            connection.execute("truncate peer_effects")
        return now()

    def _peer_ended(self, count: int, began: datetime) -> list[float]:
        with self._cluster.connect() as connection:
            there = "select count(*) from peer_effects"
            _wait(lambda: _first(connection, there) >= count)
            rows = connection.execute("select at from peer_effects").fetchall()
        return [(row[0] - began).total_seconds() for row in rows]

    def flood(self) -> FloodFigure:
        with self.staff("scheduler", "worker", "worker"):
            self._one_by_one(5)
            asked = {FLOODING: FLOOD, **dict.fromkeys(SMALL, FEW)}
            ids = {
                name: ask(self.home(name), busy, [{"seconds": BUSY_SECONDS}] * count)
                for name, count in asked.items()
            }
            taken = {name: ended(self.home(name), mine) for name, mine in ids.items()}
        others = [seconds for name in SMALL for seconds in taken[name]]
        return FloodFigure(median(taken[FLOODING]), median(others))


def ask(home: Home, work: Work[...], arguments: list[dict[str, object]]) -> list[UUID]:
    """Ask for one job for each set of arguments, in one transaction."""
    with inside(home):
        act_as(SYSTEM)
        return [work.later(**each) for each in arguments]


def ended(home: Home, ids: list[UUID], began: datetime | None = None) -> list[float]:
    """Wait until all have succeeded; the seconds that each took since it was asked for, or since the beginning."""

    def all_ended() -> bool:
        with inside(home):
            left = select(func.count()).where(Job.id.in_(ids), Job.state != "succeeded")
            return not db().scalar(left)

    _wait(all_ended)
    with inside(home):
        rows = db().execute(select(Job.created_at, Job.finished_at).where(Job.id.in_(ids))).all()
    return [(row.finished_at - (began or row.created_at)).total_seconds() for row in rows]


def run(data_dir: Path, rounds: int, tell: Callable[[str], None]) -> list[Section]:
    """Both sides in turns, then the flood; the tables of the run."""
    figures: list[JobFigure] = []
    floods: list[FloodFigure] = []
    # Three empty tenants are made in a second, and fit the tables that the program has now.
    shutil.rmtree(data_dir / "jobs", ignore_errors=True)
    with clusters.running(data_dir / "jobs", cores=DATABASE_CORE) as cluster:
        benchmark = Benchmark(cluster)
        for number in range(rounds):
            tell(f"Round {number + 1} of {rounds}")
            figures += [benchmark.ours(), benchmark.peer()]
            floods.append(benchmark.flood())
    return [*_tables(figures, floods)]


def _tables(figures: list[JobFigure], floods: list[FloodFigure]) -> Iterator[Section]:
    def middle(side: str, name: str) -> float:
        return median(getattr(each, name) for each in figures if each.side == side)

    rows = []
    for name, title in (("alone", "one job, alone"), ("in_a_backlog", f"each of {BACKLOG}, one worker")):
        ours, peer = middle("freehold", name), middle("RQ, forking", name)
        ratio = against(peer / ours, FASTER, written=f"{peer / ours:.1f}x")
        rows.append([title, f"{ours:.1f} ms", f"{peer:.1f} ms", ratio])
    yield Section(
        "A small job, from the request to its effect", ["", "freehold", "RQ, forking", "ratio"], rows
    )
    flooding, others = (median(getattr(each, name) for each in floods) for name in ("flooding", "others"))
    shown = against(others, BEHIND_A_FLOOD_SECONDS, written=f"{others:.2f} s", at_most=True)
    yield Section(
        f"Behind a flood of {FLOOD} jobs of {BUSY_SECONDS} s, two workers: median from request to end",
        ["", "seconds"],
        [["the tenant that floods", f"{flooding:.2f} s"], [f"two others with {FEW} jobs each", shown]],
    )


def _wait(done: Callable[[], bool]) -> None:
    until = time.monotonic() + WAITED_AT_MOST
    while not done():
        assert time.monotonic() < until, f"Not done after {WAITED_AT_MOST} seconds."
        time.sleep(LOOK_SECONDS)


def _first(connection: psycopg.Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])
