"""Processor time of a tree of processes, from /proc: steadier than requests per second on a busy machine."""

import os
from collections.abc import Iterator
from pathlib import Path

TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
USER, SYSTEM, CHILDREN_USER, CHILDREN_SYSTEM = 11, 12, 13, 14
"""Places in /proc/PID/stat after the name."""


def tree(pid: int) -> Iterator[int]:
    """The process and all that descend from it."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            text = children.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # that thread has just ended
        for child in text.split():
            yield from tree(int(child))


def processor_ms(pid: int) -> float:
    """Milliseconds this tree has used so far, those of children that have ended included.

    PostgreSQL's backends come and go: what an ended one used is with the postmaster by then.
    """
    ticks = sum(sum(_times(each)) for each in tree(pid))
    return ticks * TICK_MS


def _times(pid: int) -> list[int]:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []  # it has just ended, and its parent has its time
    fields = stat.rpartition(")")[2].split()
    return [int(fields[place]) for place in (USER, SYSTEM, CHILDREN_USER, CHILDREN_SYSTEM)]


def resident_mebibytes(pid: int) -> float:
    """Memory that this one process holds now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def forget_peak(pid: int) -> None:
    """From here on, the peak of this process is counted anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def peak_mebibytes(pid: int) -> float:
    """The most memory that this process has held since `forget_peak`."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024
