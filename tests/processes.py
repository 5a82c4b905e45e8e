"""Workers and schedulers as processes of their own: `python -m tests.processes worker` with the settings of a test."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tenants.foundation.children import Child
from tenants.foundation.settings import Settings, env_name
from tenants.jobs.carrier import Carrier

SWEEP_SECONDS = 3
LEASE_SECONDS = 4
LONGEST_PAUSE_SECONDS = 8


def child(part: str, settings: Settings, log: Path, **other: object) -> Child:
    """A process that is not started yet; `other` are settings that differ."""
    values = settings.model_dump(exclude={"cells", "data_dir"}) | other
    given = {env_name(name): str(value) for name, value in values.items() if value is not None}
    environment = {**os.environ, **given, "FREEHOLD_DATA_DIR": str(settings.data_dir)}
    return Child(part, [sys.executable, "-m", "tests.processes", part], log=log, environment=environment)


@contextmanager
def at_work(
    settings: Settings, carrier: Carrier, folder: Path, *, lease_seconds: int
) -> Iterator[dict[str, Child]]:
    """One worker and one scheduler at work, for a test that kills them; nothing of theirs is left in Redis."""
    made = {
        part: child(part, settings, folder / f"{part}.log", job_lease_seconds=lease_seconds)
        for part in ("worker", "scheduler")
    }
    for each in made.values():
        each.start()
    try:
        yield made
    finally:
        for each in made.values():
            each.stop(10)
        carrier.redis.flushall()


@pytest.fixture
def processes(
    settings: Settings, carrier: Carrier, undisturbed: None, tmp_path: Path
) -> Iterator[dict[str, Child]]:
    """A worker and a scheduler to be killed: what the worker had in hand is taken up again after seconds."""
    with at_work(settings, carrier, tmp_path, lease_seconds=LEASE_SECONDS) as started:
        yield started


def main(part: str) -> None:
    """As the program does it, but that nothing waits minutes for its next attempt."""
    import tests.chores  # noqa: F401 - its jobs are to be known
    from tenants.jobs import attempts

    attempts.LONGEST_PAUSE_SECONDS = LONGEST_PAUSE_SECONDS
    settings = Settings.read()
    if part == "worker":
        from crm.worker import main as work

        work(settings)
    else:
        from crm.app import open_house, wrapping_of
        from crm.schedule import rounds
        from tenants.jobs.errands import Errands
        from tenants.jobs.scheduling import schedule

        catalog = open_house(settings).catalog
        errands = Errands(catalog, wrapping_of(settings, catalog))
        made = list(rounds(settings, catalog))
        schedule(settings, catalog, made, errands=errands, sweep_seconds=SWEEP_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1])
