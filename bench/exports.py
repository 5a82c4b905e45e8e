"""Exporting a whole tenant, against psql's copy of the same tables to files.

A web process takes the request, the scheduler hands it out, and a worker makes the bundle: compressed, sealed
and stored. Its memory is the most that the worker has held, above what it held before its first export.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from pyrage import x25519
from sqlalchemy import make_url

from bench import cluster as clusters
from bench.cluster import Cluster
from bench.data import HUGE, World
from bench.limit import binaries
from bench.our_side import Ours
from bench.processes import must_run, program
from bench.processor_time import forget_peak, peak_mebibytes, processor_ms, resident_mebibytes
from bench.report import Section, against
from tenants.foundation.yielding import STEPS
from tenants.portability.contents import tables

TENANT = "exporting"
CORES = {0, 1}
SLOWER, MEMORY = 1.5, 96.0
"""The goals: times psql, compressed and encrypted; mebibytes above an idle worker."""
EXPORTS = "/api/v1/exports"
CSV, AGE = "CSV", "CSV, encrypted with age"
FORMS: dict[str, dict[str, Any]] = {
    CSV: {},
    "JSON Lines": {"format": "jsonl"},
    "Parquet": {"format": "parquet"},
    "SQLite": {"format": "sqlite"},
}
NOTE = "One worker makes all forms in turn: what the libraries of one take of its memory stays for those after it."
LOOK_SECONDS = 0.05
PATIENCE_SECONDS = 600
SETTLED_SECONDS = 5


@dataclass(frozen=True)
class Spent:
    """Seconds by the clock, seconds of processor time (PostgreSQL's with it), and bytes that came out."""

    seconds: float
    processor_seconds: float
    size: int


@dataclass(frozen=True)
class Exported:
    """What one export took, and how far the worker's memory rose above what it held before its first."""

    spent: Spent
    grown_mebibytes: float


@dataclass(frozen=True)
class Round:
    """By the names of the forms."""

    copied: Spent
    exported: dict[str, Exported]


class Bench:
    def __init__(self, cluster: Cluster, ours: Ours, worker: int) -> None:
        self._cluster, self._ours, self._worker = cluster, ours, worker
        self._folder = cluster.data_dir / "copied"
        self._folder.mkdir(exist_ok=True)
        self._idle = resident_mebibytes(worker)
        recipient = str(x25519.Identity.generate().to_public())
        self._forms = FORMS | {AGE: {"encrypt_to": [recipient]}}

    def round(self) -> Round:
        copied = self._measured(self._copy, os.getpid())
        return Round(copied, {name: self._exported(asked) for name, asked in self._forms.items()})

    def _exported(self, asked: dict[str, Any]) -> Exported:
        forget_peak(self._worker)
        spent = self._measured(lambda: self._export(asked), self._worker)
        return Exported(spent, peak_mebibytes(self._worker) - self._idle)

    def _measured(self, work: Callable[[], int], pid: int) -> Spent:
        """`pid` does the work, itself or by its children."""
        pids = (pid, self._cluster.postgresql_pid)
        before, started = sum(map(processor_ms, pids)), time.perf_counter()
        size = work()
        seconds = time.perf_counter() - started
        return Spent(seconds, (sum(map(processor_ms, pids)) - before) / 1000, size)

    def _copy(self) -> int:
        """Has psql copy all tables of a bundle, one after another, with the low priority that an export has."""
        url = make_url(self._ours.tenants.logins.owner).set(drivername="postgresql")
        role = self._ours.tenants.role(TENANT)
        command = [
            "nice",
            "-n",
            str(STEPS),
            str(binaries() / "psql"),
            url.render_as_string(hide_password=False),
            "-qX",
        ]
        for table in tables():
            names = ", ".join(f'"{each.name}"' for each in table.columns)
            copy = (
                f'\\copy "{role}"."{table.name}" ({names}) to \'{self._folder / table.name}.csv\' csv header'
            )
            command += ["-c", copy]
        subprocess.run([*command, "-v", "ON_ERROR_STOP=1"], check=True)
        return sum(each.stat().st_size for each in self._folder.iterdir())

    def _export(self, asked: dict[str, Any]) -> int:
        """From asking until the bundle can be downloaded."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        place = f"{EXPORTS}/{self._ours.post(EXPORTS, TENANT, asked)['id']}"
        while (made := self._ours.ask(place, TENANT))["status"] != "succeeded":
            if made["status"] in ("failed", "cancelled") or time.monotonic() > deadline:
                raise RuntimeError(f"The export is {made['status']}: {made['error']}")
            time.sleep(LOOK_SECONDS)
        self._ours.delete(place, TENANT)
        return int(made["size"])


def rounds(data_dir: Path, *, count: int) -> Iterator[Round]:
    """Ours and the limit in turns, on one cluster."""
    with ExitStack() as stack:
        cluster = stack.enter_context(clusters.running(data_dir / "exports", cores=CORES))
        world = World(HUGE, 1)
        ours = Ours(cluster, {TENANT: world})
        ours.tenants.make({TENANT: world}, empty=0)
        stack.enter_context(ours.running(CORES))
        worker, _ = [stack.enter_context(started(name, cluster, ours)) for name in ("worker", "scheduler")]
        bench = Bench(cluster, ours, worker)
        for _ in range(count):
            yield bench.round()


@contextmanager
def started(name: str, cluster: Cluster, ours: Ours) -> Iterator[int]:
    command = [sys.executable, "-m", "crm.cli", name, "--data-dir", str(cluster.data_dir)]
    log = cluster.data_dir / "log" / f"{name}.log"
    with program(command, environment=ours.tenants.environment, log=log) as process:
        time.sleep(SETTLED_SECONDS)
        must_run(process, log)
        yield process.pid


def sections(found: list[Round]) -> list[Section]:
    columns = ["form", "ours", "psql copy", "ratio", "by processor time", "memory above idle", "size"]
    title = f"Export of a tenant with {HUGE.contacts:,} contacts, compressed and sealed where it is stored"
    return [Section(title, columns, [[name, *_cells(found, name)] for name in found[0].exported], NOTE)]


def _cells(found: list[Round], name: str) -> Iterator[str]:
    exported = [each.exported[name] for each in found]
    copied = [each.copied for each in found]
    pairs = list(zip(exported, copied, strict=True))
    ratio = median(ours.spent.seconds / psql.seconds for ours, psql in pairs)
    processor = median(ours.spent.processor_seconds / psql.processor_seconds for ours, psql in pairs)
    grown = max(each.grown_mebibytes for each in exported)
    yield f"{median(each.spent.seconds for each in exported):.2f} s"
    yield f"{median(each.seconds for each in copied):.2f} s"
    yield against(ratio, SLOWER if name == CSV else None, written=f"{ratio:.2f}x", at_most=True)
    yield f"{processor:.2f}x"
    yield against(grown, MEMORY, written=f"{grown:.0f} MiB", at_most=True)
    yield f"{copied[0].size / 1e6:.0f} to {exported[0].spent.size / 1e6:.0f} MB"
