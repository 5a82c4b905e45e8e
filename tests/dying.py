"""Work that is killed with SIGKILL at a chosen step, in a process of its own: what it leaves is what a crash leaves.

`python -m tests.dying` loads the program once and forks for each line of JSON: what to do, for whom, and where to die.
"""

import importlib
import itertools
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from tenants.foundation.settings import Settings, env_name

ROOT = Path(__file__).parents[1]
ENDS_WITHIN_SECONDS = 120.0
TELL = "tenants.lifecycle.archives.running:Attempt.tell"
_others_at_work: list[str] = []


class Doomed:
    """Where work is sent to be killed."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def dies(self, work: str, about: object, at: str, how: str = "after", nth: int = 1) -> None:
        """Have this work be killed `before` or `after` the nth call of a function (`module:name`), or `within` one.

        Within a phase of an archive (`at` is its name) it is killed as the nth progress is told. Of a `job`, `about`
        is the tenant: jobs of others that come meanwhile are done and not counted.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        said = {"work": work, "about": str(about), "at": at, "how": how, "nth": nth}
        self._process.stdin.write(json.dumps(said) + "\n")
        self._process.stdin.flush()
        assert select.select([self._process.stdout], [], [], ENDS_WITHIN_SECONDS)[0], f"{said} goes on and on"
        assert self._process.stdout.readline() == f"{-signal.SIGKILL}\n", said


def environment_of(settings: Settings, **other: object) -> dict[str, str]:
    """What a process of its own reads these settings from; `other` are some that differ."""
    values = settings.model_dump(exclude={"cells", "data_dir"}) | other
    given = {env_name(name): str(value) for name, value in values.items() if value is not None}
    return {**os.environ, **given, "FREEHOLD_DATA_DIR": str(settings.data_dir)}


@contextmanager
def doomed(settings: Settings, log: Path, **other: object) -> Iterator[Doomed]:
    """A process that is ready to fork; `other` are settings that differ."""
    command = [sys.executable, "-m", "tests.dying"]
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command, cwd=ROOT, env=environment_of(settings, **other), text=True, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
        ) as process,
    ):  # fmt: skip
        try:
            yield Doomed(process)
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def main() -> None:
    import crm.schedule
    import crm.worker  # noqa: F401 - loaded once, before the first fork

    for line in sys.stdin:
        said = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os.dup2(2, 1)
            if said["work"] == "job":
                _die_for(said["about"])
            _plant(said["at"], said["how"], said["nth"])
            WORK[said["work"]](Settings.read(), said["about"])
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _archive(settings: Settings, about: str) -> None:
    from crm.app import open_house
    from crm.schedule import archive_works_of
    from tenants.lifecycle.archives.keeping import go_on

    go_on(archive_works_of(settings, open_house(settings).catalog), UUID(about))


def _destroy(settings: Settings, about: str) -> None:
    from crm.app import open_house
    from crm.schedule import exits_of

    destroy = exits_of(settings, open_house(settings).catalog).destroy
    assert destroy is not None
    destroy(about, "The contract ended.")


def _import(settings: Settings, about: str) -> None:
    from crm.app import nursery_of, open_house
    from tenants.portability.arriving import bring_in

    file, slug = about.rsplit(" ", 1)
    bring_in(nursery_of(settings, open_house(settings).catalog, as_owner=True), Path(file), slug)


def _job(settings: Settings, _about: str) -> None:
    from crm.worker import main as work

    work(settings)


def _file(settings: Settings, _about: str) -> None:
    from crm.app import open_house, storage_of
    from tenants.lifecycle.certificates.filing import file_what_is_missing
    from tenants.lifecycle.certificates.issuing import certificates

    storage = storage_of(settings, open_house(settings).catalog)
    file_what_is_missing(certificates(), storage)


WORK: dict[str, Callable[[Settings, str], None]] = {
    "archive": _archive,
    "destroy": _destroy,
    "file": _file,
    "import": _import,
    "job": _job,
}


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _die_for(tenant_id: str) -> None:
    """Whatever is planted counts in jobs of this tenant alone."""
    from tenants.jobs import worker

    run = worker.run

    def watched(tenant: str, job: str, attempt: int) -> None:
        _others_at_work[:] = [tenant] if tenant != UUID(tenant_id).hex else []
        run(tenant, job, attempt)

    worker.run = watched


def _only_the(nth: int) -> Callable[[], bool]:
    """True when asked for the nth time, not counting what is asked while others are at work."""
    calls = itertools.count(1)
    return lambda: not _others_at_work and next(calls) == nth


def _plant(at: str, how: str, nth: int) -> None:
    """Put death into the place of one step."""
    is_it = _only_the(nth)
    module, _, path = (TELL if how == "within" else at).partition(":")
    *parents, name = path.split(".")
    owner: Any = importlib.import_module(module)
    for each in parents:
        owner = getattr(owner, each)
    whole = getattr(owner, name)

    def dying(*args: Any, **options: Any) -> Any:
        if how == "before" and is_it():
            _die()
        made = whole(*args, **options)
        if how == "after" and is_it():
            _die()
        return _telling(made) if how == "within" and at in args else made

    def _telling(tell: Callable[..., Any]) -> Callable[..., Any]:
        def told(*news: Any) -> None:
            tell(*news)
            if is_it():
                _die()

        return told

    setattr(owner, name, dying)


if __name__ == "__main__":
    main()
