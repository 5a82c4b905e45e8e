"""What a neighbour's giant export does to another tenant: its requests and its small jobs, beside the same without one.

Web, PostgreSQL, Redis, scheduler and two workers share all cores, as they do where `freehold up` runs. Each round takes
one sample without an export, one while rows are exported and one while files are, in an order that chance decides; an
export is cancelled once its sample is taken.
"""

import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

from bench import cluster as clusters
from bench.attached import attach
from bench.cases import Case
from bench.chores import small
from bench.cluster import Cluster
from bench.data import HUGE, LARGE, SMALL, World
from bench.exports import CORES, EXPORTS, LOOK_SECONDS, PATIENCE_SECONDS
from bench.figures import middle_within
from bench.jobs import ask, ended
from bench.load import put_load
from bench.our_side import Ours
from bench.report import Section, against
from crm.app import open_house
from tenants.catalog.registry import Home
from tenants.foundation.children import Child

ASKING = "asking"
WORLDS = {ASKING: World(LARGE, 1), "rows": World(HUGE, 2), "files": World(SMALL, 3)}
FILES, MEBIBYTES = 64, 32
PHASES = {"rows": "contacts", "files": "attachments"}
"""What an export is at while it is measured beside."""
CONNECTIONS, SECONDS, JOBS = 2, 1.5, 10
LATENCY, SMALL_JOBS = 1.5, 2.0
"""The goals: times the latency, and the time of a small job, without an export."""
STAFF = ("scheduler", "worker", "worker")


@dataclass(frozen=True)
class Beside:
    """Milliseconds, medians of one sample: from a request to its answer, and of a small job to its end."""

    request: float
    job: float


@dataclass(frozen=True)
class Round:
    """The same tenant alone, and beside the two kinds of export."""

    alone: Beside
    rows: Beside
    files: Beside


class Bench:
    def __init__(self, ours: Ours) -> None:
        self._ours = ours
        questions = zip(*(ours.requests(case, ASKING, 100) for case in (Case.LIST, Case.GET)), strict=False)
        self._requests = [each for pair in questions for each in pair]

    def round(self) -> Round:
        found = {}
        for name in random.sample(["alone", *PHASES], 3):
            with self._exporting(name) if name in PHASES else ExitStack():
                found[name] = self._sample()
        return Round(**found)

    def _sample(self) -> Beside:
        seen = put_load(self._ours.port, self._requests, seconds=SECONDS, connections=CONNECTIONS)
        assert not seen.errors, seen.first_error
        home = home_of(self._ours, ASKING)
        taken = [ended(home, ask(home, small, [{"number": number}]))[0] for number in range(JOBS)]
        return Beside(seen.percentile_ms(50), median(taken) * 1000)

    @contextmanager
    def _exporting(self, tenant: str) -> Iterator[None]:
        """An export that is well on its way, and is still when the block ends."""
        made = self._ours.post(EXPORTS, tenant, {})
        place, job = f"{EXPORTS}/{made['id']}", f"/api/v1/jobs/{made['job_id']}"
        phase = PHASES[tenant]
        wait_until(lambda: self._phase(place, tenant) == phase)
        yield
        assert self._phase(place, tenant) == phase, "The export was over before its sample was."
        self._ours.delete(place, tenant)
        wait_until(lambda: self._ours.ask(job, tenant)["status"] == "cancelled")

    def _phase(self, place: str, tenant: str) -> Any:
        return self._ours.ask(place, tenant)["progress"]["phase"]


def home_of(ours: Ours, tenant: str) -> Home:
    return Home(UUID(hex=ours.tenants.role(tenant).removeprefix("t_")), "main")


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"Not so after {PATIENCE_SECONDS} seconds."
        time.sleep(LOOK_SECONDS)


def rounds(data_dir: Path, *, count: int) -> Iterator[Round]:
    """The first round warms up and is left out."""
    with ExitStack() as stack:
        cluster = stack.enter_context(clusters.running(data_dir / "yielding", cores=CORES))
        ours = Ours(cluster, WORLDS)
        ours.tenants.make(WORLDS, empty=0)
        open_house(ours.tenants.settings())
        attach(home_of(ours, "files"), count=FILES, mebibytes=MEBIBYTES)
        stack.enter_context(ours.running(CORES))
        stack.enter_context(staff(cluster, ours, STAFF))
        bench = Bench(ours)
        bench.round()
        for _ in range(count):
            yield bench.round()


@contextmanager
def staff(cluster: Cluster, ours: Ours, parts: tuple[str, ...]) -> Iterator[list[Child]]:
    """Workers and scheduler, which know the small job that is measured."""
    children = [
        Child(
            f"{part}-{number}",
            [sys.executable, "-m", "bench.job_side", part],
            log=cluster.data_dir / "log" / f"{part}-{number}.log",
            environment={**os.environ, **ours.tenants.environment},
        )
        for number, part in enumerate(parts)
    ]
    with ExitStack() as stack:
        for child in children:
            child.start()
            stack.callback(child.stop)
        yield children


def sections(found: list[Round]) -> list[Section]:
    rows = [
        [f"beside an export of {beside}", what, *_cells(found, beside, name, goal)]
        for beside in PHASES
        for what, name, goal in (("request", "request", LATENCY), ("small job", "job", SMALL_JOBS))
    ]
    title = f"One tenant's requests and small jobs beside another's export, {len(found)} rounds"
    columns = ["", "median of", "without", "with", "ratio", "95 % of the ratio"]
    note = (
        "The ratio is the median over the rounds; its interval is bootstrapped from them."
        f" A request is a list of 50 or a get of one among {LARGE.contacts:,} contacts, on {CONNECTIONS} connections."
        f" The exports are of {HUGE.contacts:,} contacts, and of {FILES} files of {MEBIBYTES} MiB."
    )
    return [Section(title, columns, rows, note)]


def _cells(found: list[Round], beside: str, name: str, goal: float) -> Iterator[str]:
    alone = [getattr(each.alone, name) for each in found]
    with_it = [getattr(getattr(each, beside), name) for each in found]
    ratio, low, high = middle_within([one / other for one, other in zip(with_it, alone, strict=True)])
    yield f"{median(alone):.1f} ms"
    yield f"{median(with_it):.1f} ms"
    yield against(ratio, goal, written=f"{ratio:.2f}x", at_most=True)
    yield f"{low:.2f} to {high:.2f}"
