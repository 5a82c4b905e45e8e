"""Exporting a whole tenant, against psql's copy of the same tables to files.

A web process takes the request, the scheduler hands it out, and a worker makes the bundle: compressed, sealed
and stored. Its memory is the most that the worker has held, above what it held before its first export.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import make_url

from bench import cluster as clusters
from bench.cluster import Cluster
from bench.data import Size, World
from bench.limit import binaries
from bench.our_side import Ours
from bench.processes import must_run, program
from bench.processor_time import forget_peak, peak_mebibytes, processor_ms, resident_mebibytes
from bench.report import Section, against
from tenants.portability.contents import tables

TENANT = "exporting"
SIZE = Size(contacts=100_000, companies=5_000, users=50)
CORES = {0, 1}
SLOWER, MEMORY = 1.5, 96.0
"""The goals: times psql, compressed and encrypted; mebibytes above an idle worker."""
EXPORTS = "/api/v1/exports"
LOOK_SECONDS = 0.05
PATIENCE_SECONDS = 600
SETTLED_SECONDS = 5


@dataclass(frozen=True)
class Round:
    copied_seconds: float
    copied_bytes: int
    exported_seconds: float
    exported_bytes: int
    worker_seconds: float
    grown_mebibytes: float


class Bench:
    def __init__(self, cluster: Cluster, ours: Ours, worker: int) -> None:
        self._ours, self._worker = ours, worker
        self._folder = cluster.data_dir / "copied"
        self._folder.mkdir(exist_ok=True)
        self._idle = resident_mebibytes(worker)

    def round(self) -> Round:
        seconds, size = self._copy()
        before = processor_ms(self._worker)
        forget_peak(self._worker)
        exported_seconds, made = self._export()
        return Round(
            copied_seconds=seconds,
            copied_bytes=size,
            exported_seconds=exported_seconds,
            exported_bytes=made["size"],
            worker_seconds=(processor_ms(self._worker) - before) / 1000,
            grown_mebibytes=peak_mebibytes(self._worker) - self._idle,
        )

    def _copy(self) -> tuple[float, int]:
        """Seconds psql takes for all tables of a bundle, one after another, and the size of the files."""
        url = make_url(self._ours.tenants.logins.owner).set(drivername="postgresql")
        role = self._ours.tenants.role(TENANT)
        command = [str(binaries() / "psql"), url.render_as_string(hide_password=False), "-qX"]
        for table in tables():
            names = ", ".join(f'"{each.name}"' for each in table.columns)
            copy = (
                f'\\copy "{role}"."{table.name}" ({names}) to \'{self._folder / table.name}.csv\' csv header'
            )
            command += ["-c", copy]
        started = time.perf_counter()
        subprocess.run([*command, "-v", "ON_ERROR_STOP=1"], check=True)
        return time.perf_counter() - started, sum(each.stat().st_size for each in self._folder.iterdir())

    def _export(self) -> tuple[float, Any]:
        """Seconds from asking until the bundle can be downloaded."""
        started = time.perf_counter()
        place = f"{EXPORTS}/{self._ours.post(EXPORTS, TENANT, {})['id']}"
        while (made := self._ours.ask(place, TENANT))["status"] != "succeeded":
            spent = time.perf_counter() - started
            if made["status"] in ("failed", "cancelled") or spent > PATIENCE_SECONDS:
                raise RuntimeError(f"The export is {made['status']} after {spent:.0f} s: {made['error']}")
            time.sleep(LOOK_SECONDS)
        spent = time.perf_counter() - started
        self._ours.delete(place, TENANT)
        return spent, made


def rounds(data_dir: Path, *, count: int) -> Iterator[Round]:
    """Ours and the limit in turns, on one cluster."""
    with ExitStack() as stack:
        cluster = stack.enter_context(clusters.running(data_dir / "exports", cores=CORES))
        world = World(SIZE, 1)
        ours = Ours(cluster, {TENANT: world})
        ours.tenants.make({TENANT: world}, empty=0)
        stack.enter_context(ours.running(CORES))
        worker, _ = [stack.enter_context(_started(name, cluster, ours)) for name in ("worker", "scheduler")]
        bench = Bench(cluster, ours, worker)
        for _ in range(count):
            yield bench.round()


@contextmanager
def _started(name: str, cluster: Cluster, ours: Ours) -> Iterator[int]:
    command = [sys.executable, "-m", "crm.cli", name, "--data-dir", str(cluster.data_dir)]
    log = cluster.data_dir / "log" / f"{name}.log"
    with program(command, environment=ours.tenants.environment, log=log) as process:
        time.sleep(SETTLED_SECONDS)
        must_run(process, log)
        yield process.pid


def sections(found: list[Round]) -> list[Section]:
    ratio = median(each.exported_seconds / each.copied_seconds for each in found)
    grown = max(each.grown_mebibytes for each in found)
    first = found[0]
    row = [
        "export, compressed and encrypted",
        f"{median(each.exported_seconds for each in found):.2f} s",
        f"{median(each.copied_seconds for each in found):.2f} s",
        against(ratio, SLOWER, written=f"{ratio:.2f}x", at_most=True),
        against(grown, MEMORY, written=f"{grown:.0f} MiB", at_most=True),
        f"{median(each.worker_seconds for each in found):.2f} s",
        f"{first.copied_bytes / 1e6:.0f} to {first.exported_bytes / 1e6:.0f} MB",
    ]
    columns = ["work", "ours", "psql \\copy", "ratio", "memory above idle", "worker's processor", "size"]
    title = f"Export of a tenant with {SIZE.contacts:,} contacts"
    return [Section(title, columns, [row])]
