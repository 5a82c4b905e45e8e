"""The programs that `up` runs, and how it knows that they are there."""

import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from crm.cli.refusals import Refused
from tenants.foundation.children import Child

READY_WITHIN = 120.0
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}  # noqa: S104 -- replaced, not listened on


def address(host: str, port: int) -> str:
    """Where somebody on this machine finds the web."""
    shown = EVERYWHERE.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}"


class Programs:
    """Makes each program as a child of ours; the scheduler and the demo alone get the owner's login."""

    def __init__(self, data_dir: Path, environment: Mapping[str, str]) -> None:
        self._data_dir = data_dir
        self._environment = environment
        (data_dir / "log").mkdir(parents=True, exist_ok=True)

    def web(self, host: str, port: int) -> Child:
        return self._program("web", "serve", "--host", host, "--port", str(port))

    def workers(self, number: int) -> list[Child]:
        return [self._program(f"worker-{one}", "worker") for one in range(1, number + 1)]

    def scheduler(self) -> Child:
        return self._program("scheduler", "scheduler", owner=True)

    def load_demo(self, pause: Callable[[], None]) -> None:
        """Load what is missing of the demo and let it print the sign-ins. Its failure is told and is not ours."""
        child = Child("demo", self._command("demo"), environment=self._environment)
        child.start()
        try:
            while child.is_running:
                pause()
        finally:
            child.stop()
        if child.exit_status:
            click.echo("The demo could not be loaded; everything else runs.", err=True)

    def _program(self, name: str, *arguments: str, owner: bool = False) -> Child:
        environment = {**self._environment, **({} if owner else {"FREEHOLD_OWNER_DATABASE_URL": ""})}
        log = self._data_dir / "log" / f"{name}.log"
        return Child(name, self._command(*arguments), log=log, environment=environment)

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "crm.cli", *arguments, "--data-dir", str(self._data_dir)]


def wait_until_ready(url: str, web: Child, pause: Callable[[], None]) -> None:
    """Wait until the web says that it can serve; say why in its own words where it ends instead."""
    deadline = time.monotonic() + READY_WITHIN
    while not _is_ready(url):
        if not web.is_running:
            raise Refused(f"The web did not start: {web.last_words() or 'it left no word.'}")
        if time.monotonic() > deadline:
            raise Refused(f"The web is not ready after {READY_WITHIN:.0f} s; see {web.log}.")
        pause()


def _is_ready(url: str) -> bool:
    # No proxy: the web is on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/health/ready", timeout=5) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004 -- HTTP's own number
    except (urllib.error.URLError, OSError):
        return False
