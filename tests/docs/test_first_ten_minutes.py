"""The first ten minutes, replayed on a fresh installation: every command, and what it prints where that is shown."""

import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TRANSCRIPT = re.compile(r"```console\n(.*?)```", re.DOTALL)


def _steps() -> list[tuple[str, list[str]]]:
    """Each command with the lines it is shown to print; `...` stands for any."""
    found: list[tuple[str, list[str]]] = []
    for line in TRANSCRIPT.search((ROOT / "docs" / "first-ten-minutes.md").read_text())[1].splitlines():  # type: ignore[index]
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def data_dir(tmp_path: Path, port: int) -> Iterator[Path]:
    """`freehold up`, ready to serve."""
    folder = tmp_path / "var"
    command = [
        sys.executable,
        "-m",
        "crm.cli",
        "up",
        "--port",
        str(port),
        "--data-dir",
        str(folder),
        "--no-demo",
    ]
    with (tmp_path / "up.log").open("w") as log:
        running = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_for(tmp_path / "up.log", running)
        yield folder
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(60)


def _wait_for(log: Path, running: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if "Freehold is ready" in log.read_text():
            return
        assert running.poll() is None, log.read_text()
        time.sleep(0.2)
    raise AssertionError(log.read_text())


@pytest.mark.soak
@pytest.mark.timeout(400)
def test_the_first_ten_minutes_go_as_the_page_says(tmp_path: Path, data_dir: Path, port: int) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as page:
        assert page.status == 200
    script = ["set -e"]
    for number, (command, _) in enumerate(_steps()):
        here = command.replace("localhost:8000", f"127.0.0.1:{port}")
        script += [f"echo '--- {number}'", here.replace(".venv/bin/freehold", f"{sys.executable} -m crm.cli")]
    environment = {
        "FREEHOLD_DATA_DIR": str(data_dir),
        "PATH": "/usr/bin:/bin:/usr/local/bin",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert {each.name for each in tmp_path.iterdir()} == {"up.log", data_dir.name}
    printed = re.split(r"^--- \d+\n", done.stdout, flags=re.MULTILINE)[1:]
    for (command, shown), output in zip(_steps(), printed, strict=True):
        expected = [re.escape(line) for line in shown]
        pattern = "\n".join(expected).replace(re.escape("..."), "(?:.|\n)*")
        assert re.fullmatch(pattern or "(?:.|\n)*", output.strip("\n")) or not shown, (command, output)
