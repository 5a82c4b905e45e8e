"""Turns the statements of a request into a script for pgbench, with the values of many real requests."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection, sql

ONE_OF_MANY = 1 << 62
KEPT_FOR = 10
"""Transactions of a client that ask for the same, so that choosing what to ask for costs next to nothing."""
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
LITERAL = re.compile(r"(?P<mark>E?)'(?:(?<=E')(?:[^'\\]|\\.|'')*|(?:[^']|'')*)'")
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
class Script:
    """A pgbench script, to be run as this role."""

    role: str
    text: str


class Writing:
    """Writes the script of a round trip; values that differ from request to request are its variables."""

    def __init__(self, trip: RoundTrip, samples: str) -> None:
        self._samples = samples
        self._columns: dict[tuple[str, ...], str] = {}
        self._count = len(trip.statements[0].samples)
        sent = [each for each in trip.statements if not each.text.lower().startswith(NOT_IN_A_PIPELINE)]
        self._lines = [self._line(each) for each in sent]

    def text(self) -> str:
        return "\n".join(
            [
                "\\set turn :turn + 1",
                f"\\if :turn % {KEPT_FOR} = 1",
                f"\\set r random(1, {self._count})",
                f"select * from {self._samples} where r = :r \\gset",  # noqa: S608 - a name of our own
                "\\endif",
                f"\\set n random(1, {ONE_OF_MANY})",
                "\\startpipeline",
                *self._lines,
                "\\endpipeline",
                "",
            ]
        )

    def store(self, connection: Connection[Any]) -> None:
        """Puts the values of the variables where the script looks for them."""
        names = ["r int primary key", *(f"{name} text" for name in self._columns.values())]
        connection.execute(f"drop table if exists {self._samples}".encode())
        connection.execute(f"create table {self._samples} ({', '.join(names)})".encode())
        for number in range(self._count):
            values = [str(number + 1), *(f"({column[number]})::text" for column in self._columns)]
            row = f"insert into {self._samples} values ({', '.join(values)})"  # noqa: S608 - quoted by psycopg
            connection.execute(row.encode())
        connection.execute(f"grant select on {self._samples} to public".encode())

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
        written = tuple(_quoted(each) for each in values)
        if len(set(written)) == 1:
            return written[0]
        return f":{self._columns.setdefault(written, f'p{len(self._columns)}')}"


def prepare(name: str, trip: RoundTrip, connection: Connection[Any]) -> Script:
    """`connection` is the superuser's, to the database of the round trip."""
    connection.execute("create schema if not exists bench")
    connection.execute("grant usage on schema bench to public")
    writing = Writing(trip, f"bench.{name}")
    writing.store(connection)
    return Script(trip.role, writing.text())


def _quoted(value: Any) -> str:
    return LITERAL.sub(_without_variables, sql.Literal(value).as_string())


def _without_variables(literal: re.Match[str]) -> str:
    """Between quotes, too, `:word` is a variable to pgbench, which knows no escape."""
    mark, text = literal["mark"], literal[0]
    split = re.sub(r":(?=\w)", f"' || chr(58) || {mark}'", text)
    return text if split == text else f"({split})"
