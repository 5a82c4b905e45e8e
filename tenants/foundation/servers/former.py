"""Servers of an earlier run, which was killed: those that still run are stopped before new ones start."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from tenants.foundation.children import command_line_of
from tenants.foundation.servers.failure import ServerFailed

PATIENCE = 30.0


def end_former(program: str, stops_by: signal.Signals, pid_file: Path, *locks: Path) -> None:
    """End what the pid file names, if that is what we think it is; then file and locks mean nothing."""
    pid = _pid_in(pid_file)
    deadline = time.monotonic() + PATIENCE
    while pid and program in command_line_of(pid):
        with suppress(ProcessLookupError):
            os.kill(pid, stops_by)
        if time.monotonic() > deadline:
            raise ServerFailed(f"A {program} of an earlier run (process {pid}) does not end; stop it first.")
        time.sleep(0.1)
    # The number may have passed to a stranger, or be a dead process that nobody has buried: PostgreSQL would
    # take either for itself. Whether old sessions live on, it asks the shared memory, not this file.
    for file in (pid_file, *locks):
        file.unlink(missing_ok=True)


def _pid_in(pid_file: Path) -> int | None:
    try:
        first, *_ = pid_file.read_text("utf-8").split("\n", 1)
        return abs(int(first))
    except (FileNotFoundError, ValueError):
        return None
