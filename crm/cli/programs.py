"""The programs that `up` runs, and how it knows that they are there."""

import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from crm.cli.refusals import Refused
from tenants.foundation.children import Child

READY_WITHIN = 60.0
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}  # noqa: S104 -- replaced, not listened on


def address(host: str, port: int) -> str:
    """Where somebody on this machine finds the web."""
    shown = EVERYWHERE.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}"


def programs(host: str, port: int, data_dir: Path, environment: Mapping[str, str]) -> list[Child]:
    """Each program as a child of ours, the web first."""
    logs = data_dir / "log"
    logs.mkdir(parents=True, exist_ok=True)

    def program(name: str, *arguments: str) -> Child:
        command = [sys.executable, "-m", "crm.cli", *arguments, "--data-dir", str(data_dir)]
        return Child(name, command, log=logs / f"{name}.log", environment=environment)

    return [program("web", "serve", "--host", host, "--port", str(port))]


def wait_until_ready(url: str, web: Child) -> None:
    """Wait until the web says that it can serve; say why in its own words where it ends instead."""
    deadline = time.monotonic() + READY_WITHIN
    while not _is_ready(url):
        if not web.is_running:
            raise Refused(f"The web did not start: {web.last_words() or 'it left no word.'}")
        if time.monotonic() > deadline:
            raise Refused(f"The web is not ready after {READY_WITHIN:.0f} s; see {web.log}.")
        time.sleep(0.05)


def _is_ready(url: str) -> bool:
    # No proxy: the web is on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/health/ready", timeout=5) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004 -- HTTP's own number
    except (urllib.error.URLError, OSError):
        return False
