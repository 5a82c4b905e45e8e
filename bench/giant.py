"""A giant tenant taken out once: how long that takes, and how much memory the worker has over time.

The tenant is made when it is asked for, takes some 15 GB of disk while it is measured, and is removed afterwards.
"""

import shutil
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench import cluster as clusters
from bench.attached import MEBIBYTE, attach
from bench.data import Size, World
from bench.exports import CORES, EXPORTS, LOOK_SECONDS, MEMORY, started
from bench.our_side import Ours
from bench.processor_time import resident_mebibytes
from bench.report import Section, against
from bench.yielding import home_of

TENANT = "giant"
GIANT = Size(contacts=1_000_000, companies=5_000, users=50)
FILES, MEBIBYTES = 160, 32
PATIENCE_SECONDS = 4 * 3600
WIDTH, HEIGHT, MARGIN = 640, 240, 44


@dataclass(frozen=True)
class Moment:
    """The worker's memory above what it held while idle, so many seconds after the export was asked for."""

    seconds: float
    mebibytes: float
    phase: str


@dataclass(frozen=True)
class Giant:
    """One export: bytes that came out, and what was seen on the way."""

    size: int
    seconds: float
    moments: list[Moment]


def run(data_dir: Path) -> Giant:
    """Make the tenant, export it once, and remove everything again."""
    folder = data_dir / TENANT
    try:
        with ExitStack() as stack:
            cluster = stack.enter_context(clusters.running(folder, cores=CORES))
            world = World(GIANT, 1)
            ours = Ours(cluster, {TENANT: world})
            ours.tenants.make({TENANT: world}, empty=0)
            attach(home_of(ours, TENANT), count=FILES, mebibytes=MEBIBYTES)
            stack.enter_context(ours.running(CORES))
            worker, _ = [
                stack.enter_context(started(name, cluster, ours)) for name in ("worker", "scheduler")
            ]
            return _watched(ours, worker)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _watched(ours: Ours, worker: int) -> Giant:
    idle, began = resident_mebibytes(worker), time.monotonic()
    moments: list[Moment] = []
    phase, over = [""], threading.Event()

    def watch() -> None:
        while not over.wait(LOOK_SECONDS):
            above = resident_mebibytes(worker) - idle
            moments.append(Moment(round(time.monotonic() - began, 2), round(above, 1), phase[0]))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        made = _exported(ours, phase)
    finally:
        over.set()
        thread.join()
    return Giant(int(made["size"]), time.monotonic() - began, moments)


def _exported(ours: Ours, phase: list[str]) -> dict[str, str]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    place = f"{EXPORTS}/{ours.post(EXPORTS, TENANT, {})['id']}"
    while (made := ours.ask(place, TENANT))["status"] != "succeeded":
        if made["status"] in ("failed", "cancelled") or time.monotonic() > deadline:
            raise RuntimeError(f"The export is {made['status']}: {made['error']}")
        phase[0] = made["progress"]["phase"] or ""
        time.sleep(LOOK_SECONDS * 10)
    return dict(made)


def sections(found: Giant) -> list[Section]:
    peak = max(each.mebibytes for each in found.moments)
    files = max((each.seconds for each in found.moments if each.phase == "attachments"), default=0.0)
    row = [
        f"{GIANT.contacts:,} contacts, {FILES} files of {MEBIBYTES} MiB",
        f"{found.seconds:.0f} s",
        f"{files:.0f} s",
        against(peak, MEMORY, written=f"{peak:.0f} MiB", at_most=True),
        f"{found.size / 1e9:.2f} GB",
        f"{found.size / MEBIBYTE / found.seconds:.0f} MiB/s",
    ]
    columns = ["tenant", "export", "of it files", "most memory above idle", "bundle", "on average"]
    return [
        Section("Export of a giant tenant", columns, [row], "![Memory over time](pictures/giant-export.svg)")
    ]


def picture(found: Giant) -> str:
    """The worker's memory over time as SVG, with the line that it is to stay below."""
    longest, most = found.seconds, max(MEMORY * 1.1, *(each.mebibytes for each in found.moments))
    across, up = (WIDTH - 2 * MARGIN) / longest, (HEIGHT - 2 * MARGIN) / most
    points = " ".join(
        f"{MARGIN + each.seconds * across:.1f},{HEIGHT - MARGIN - each.mebibytes * up:.1f}"
        for each in _thinned(found.moments)
    )
    goal, foot = HEIGHT - MARGIN - MEMORY * up, HEIGHT - MARGIN
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-size="12">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
            f'<text x="{MARGIN}" y="20">Memory of the worker above idle, MiB</text>',
            f'<path d="M{MARGIN} {MARGIN / 2 + 10}V{foot}H{WIDTH - MARGIN}" fill="none" stroke="#555"/>',
            f'<path d="M{MARGIN} {goal:.1f}H{WIDTH - MARGIN}" stroke="#b00" stroke-dasharray="4 4"/>',
            f'<text x="{MARGIN - 6}" y="{goal + 4:.1f}" text-anchor="end">{MEMORY:.0f}</text>',
            f'<text x="{MARGIN - 6}" y="{foot + 4}" text-anchor="end">0</text>',
            f'<text x="{WIDTH - MARGIN}" y="{foot + 18}" text-anchor="end">{longest:.0f} s</text>',
            f'<polyline points="{points}" fill="none" stroke="#06c" stroke-width="1.5"/>',
            "</svg>\n",
        ]
    )


def _thinned(moments: list[Moment]) -> list[Moment]:
    """At most some hundreds of moments, each the one with the most memory around it."""
    width = max(1, len(moments) // (WIDTH // 2))
    groups = [moments[start : start + width] for start in range(0, len(moments), width)]
    return [max(group, key=lambda each: each.mebibytes) for group in groups]
