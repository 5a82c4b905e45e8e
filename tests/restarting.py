"""Workers and schedulers at whose steps databases crash: `python -m tests.restarting scheduler FOLDER`.

The folder's `plan.json` says at which spots which servers are stopped, by the folders of
their data; each spot comes once. Whoever is at it waits there until the test has looked around and says `go`.
"""

import importlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tenants.foundation.children import command_line_of
from tenants.foundation.settings import Settings
from tenants.lifecycle.attempts import Attempt

WAITS_SECONDS = 180.0


class Crashes:
    """The plan in a folder, and which of its spots have been reached."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def at(self, spot: str) -> None:
        """Stop the servers that the plan names for this spot, if it is planned and was not reached before."""
        plan = self._folder / "plan.json"
        servers = json.loads(plan.read_text())["spots"].get(spot) if plan.exists() else None
        reached = self._folder / f"{spot}.reached"
        if servers is None or reached.exists():
            return
        for each in servers:
            crash(Path(each))
        reached.touch()
        go, deadline = self._folder / f"{spot}.go", time.monotonic() + WAITS_SECONDS
        while not go.exists() and time.monotonic() < deadline:
            time.sleep(0.01)


def crash(data: Path) -> None:
    """What `pg_ctl stop -m immediate` does: nobody is heard out, nothing is written down."""
    pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    os.kill(pid, signal.SIGQUIT)
    deadline = time.monotonic() + WAITS_SECONDS
    while "postgres" in command_line_of(pid):
        assert time.monotonic() < deadline, "the server does not end"
        time.sleep(0.01)


def plant(crashes: Crashes, functions: list[str]) -> None:
    """Have it crash at the spots of the plan.

    They are: `archives.writing` at the end of a step, before it is on record; `archives.failed.writing` when an attempt
    gives up in it; `within.archives.filling` as rows of a phase are told; `module:path` when that function returns.
    """
    _plant_in_steps(crashes)
    for name in functions:
        _plant_after(crashes, name)


def _plant_in_steps(crashes: Crashes) -> None:
    go_to, let_go, tell = Attempt.go_to, Attempt.let_go, Attempt.tell

    def crashed_go_to(attempt: Any, session: Any, step: str, **values: Any) -> None:
        if step != attempt.row.step:
            session.flush()
            crashes.at(f"{attempt.row.__tablename__}.{attempt.row.step}")
        go_to(attempt, session, step, **values)

    def crashed_let_go(attempt: Any, error: str | None = None) -> None:
        if error:
            crashes.at(f"{attempt.row.__tablename__}.failed.{attempt.row.step}")
        let_go(attempt, error)

    def crashed_tell(attempt: Any, phase: str) -> Callable[[str, int], None]:
        told = tell(attempt, phase)

        def crashed_told(table: str, rows: int) -> None:
            crashes.at(f"within.{attempt.row.__tablename__}.{phase}")
            told(table, rows)

        return crashed_told

    for name, method in (("go_to", crashed_go_to), ("let_go", crashed_let_go), ("tell", crashed_tell)):
        setattr(Attempt, name, method)


def _plant_after(crashes: Crashes, name: str) -> None:
    module, _, path = name.partition(":")
    *parents, last = path.split(".")
    owner: Any = importlib.import_module(module)
    for each in parents:
        owner = getattr(owner, each)
    whole = getattr(owner, last)

    def crashed(*args: Any, **options: Any) -> Any:
        made = whole(*args, **options)
        crashes.at(name)
        return made

    setattr(owner, last, crashed)


def main(part: str, folder: Path) -> None:
    """As the program does it, but that rounds come again within a second, and within less of a database that is back.

    No move is given up for how long a test takes to look around.
    """
    import tests.chores  # noqa: F401 - its jobs are to be known

    settings = Settings.read()
    if part == "worker":
        from crm.worker import main as work

        work(settings)
        return
    from dataclasses import replace
    from datetime import timedelta

    from crm.app import open_house
    from crm.schedule import long_rounds, rounds
    from tenants.jobs import looking
    from tenants.jobs.scheduling import schedule
    from tenants.lifecycle.moves import moving

    looking.LOOK_SECONDS, looking.AWAY_SECONDS = 0.1, 0.2
    moving.LONGEST_PAUSE = timedelta(hours=1)

    plant(Crashes(folder), json.loads((folder / "functions.json").read_text()))
    catalog = open_house(settings).catalog
    often = [replace(each, every_seconds=1) for each in rounds(settings, catalog)]
    long = [replace(each, every_seconds=1) for each in long_rounds(settings, catalog)]
    schedule(settings, catalog, often, long_rounds=long, sweep_seconds=3)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
