"""Trips to the database: statements sent together in one pipeline, each prepared once on its connection.

It does what a cursor of the driver does, for many statements at once and with what was learned about each kept: for a
short statement the cursor's own work was more than the database's.
"""

import re
from collections import OrderedDict
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import capabilities, errors, generators
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult

MOST_KEPT = 1000
PLACEHOLDER = re.compile(r"%(?:%|\((\w+)\)s)")
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with `%(name)s` parameters and their values.

    `tenant` is the role whose prepared statement it is: one shared by schemas is planned again at every switch.
    """

    sql: str
    values: Mapping[str, Any]
    tenant: str = ""


@dataclass(slots=True)
class _Kept:
    """What a connection knows of a statement: how often it was sent, and its name once it is prepared."""

    uses: int = 0
    name: bytes = b""


@dataclass(slots=True)
class _Ready:
    """A statement in the driver's form; `kept.name` is what it is called when `prepares` or `kept.name` says so."""

    text: bytes
    dumped: Sequence[Any]
    types: tuple[int, ...]
    formats: Sequence[Any]
    kept: _Kept
    prepares: bytes = b""


class Trips:
    """The trips of one connection."""

    def __init__(self, driver: psycopg.Connection) -> None:
        self._driver = driver
        self._pgconn = driver.pgconn
        self._values = Transformer(driver)
        self._kept: OrderedDict[tuple[str, str, tuple[int, ...]], _Kept] = OrderedDict()
        self._overdue: list[bytes] = []
        self._named = 0
        self._closes = capabilities.has_send_close_prepared()

    def go(self, *statements: Statement) -> list[list[Row]]:
        """The rows of each statement. Raises the driver's error for the first that fails; none follows that one.

        Outside of a transaction they are one transaction of their own (PostgreSQL's extended query protocol,
        "Pipelining").
        """
        ready = [self._made_ready(each) for each in statements]
        try:
            results = self._exchange(ready)
        except BaseException:
            self._driver.close()  # what is still on its way belongs to nobody
            raise
        return [self._rows(each) for each in self._checked(ready, results)]

    def forget(self) -> None:
        """Prepare everything anew: the driver may have let go of all that is prepared, as it does at a rollback."""
        for kept in self._kept.values():
            self._let_go(kept)

    def _let_go(self, kept: _Kept) -> None:
        if kept.name:
            self._overdue.append(kept.name)
            kept.name = b""

    def _made_ready(self, statement: Statement) -> _Ready:
        text, names = _numbered(statement.sql)
        given = statement.values
        values = self._values
        dumped = values.dump_sequence([given[name] for name in names], [PyFormat.AUTO] * len(names))
        types, formats = tuple(values.types or ()), values.formats or ()
        ready = _Ready(text, dumped, types, formats, self._known(statement, types))
        if not ready.kept.name:
            ready.text = f"/*{statement.tenant}*/".encode() + text if statement.tenant else text
            ready.prepares = self._new_name(ready.kept)
        return ready

    def _known(self, statement: Statement, types: tuple[int, ...]) -> _Kept:
        key = (statement.tenant, statement.sql, types)
        if kept := self._kept.get(key):
            self._kept.move_to_end(key)
        else:
            kept = self._kept[key] = _Kept()
            while len(self._kept) > MOST_KEPT:
                self._let_go(self._kept.popitem(last=False)[1])
        return kept

    def _new_name(self, kept: _Kept) -> bytes:
        """A name when it is worth one: as the driver does, from the sixth time on, and never without its threshold."""
        kept.uses += 1
        threshold = self._driver.prepare_threshold
        if threshold is None or kept.uses <= threshold or not self._closes:
            return b""
        self._named += 1
        return b"trip_%d" % self._named

    def _exchange(self, ready: Sequence[_Ready]) -> list[PGresult]:
        pgconn, overdue = self._pgconn, self._overdue
        pgconn.enter_pipeline_mode()
        self._overdue = []
        for name in overdue:
            pgconn.send_close_prepared(name)  # no error, should it be gone
        sent = len(overdue)
        for each in ready:
            if each.prepares:
                pgconn.send_prepare(each.prepares, each.text, each.types)
                sent += 1
            if name := each.prepares or each.kept.name:
                pgconn.send_query_prepared(name, each.dumped, each.formats)
            else:
                pgconn.send_query_params(each.text, each.dumped, each.types, each.formats)
            sent += 1
        pgconn.pipeline_sync()
        results = self._driver.wait(_answers(pgconn, sent))
        pgconn.exit_pipeline_mode()
        return results[len(overdue) :]

    def _checked(self, ready: Sequence[_Ready], results: Sequence[PGresult]) -> list[PGresult]:
        upcoming = iter(results)
        found = []
        for each in ready:
            if each.prepares:
                self._check(next(upcoming))
                each.kept.name = each.prepares
            found.append(next(upcoming))
            self._check(found[-1])
        return found

    def _check(self, result: PGresult) -> None:
        if result.status != ExecStatus.FATAL_ERROR:
            return
        error = errors.error_from_result(result, self._driver.info.encoding)
        if isinstance(error, errors.InvalidSqlStatementName):
            self.forget()
        raise error

    def _rows(self, result: PGresult) -> list[Row]:
        if result.status != ExecStatus.TUPLES_OK:
            return []
        self._values.set_pgresult(result)
        return self._values.load_rows(0, result.ntuples, tuple)


def _answers(pgconn: PGconn, count: int) -> Generator[Any, Any, list[PGresult]]:
    yield from generators.send(pgconn)
    found = []
    for _ in range(count):
        results = yield from generators.fetch_many(pgconn)
        found.append(results[-1])
    yield from generators.fetch_many(pgconn)  # the mark of the pipeline's end
    return found


@lru_cache(4000)
def _numbered(sql: str) -> tuple[bytes, tuple[str, ...]]:
    """The SQL with `$1`, `$2`… in place of its named parameters, and their names in that order."""
    names: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        if match[1] is None:
            return "%"
        return f"${names.setdefault(match[1], len(names) + 1)}"

    text = PLACEHOLDER.sub(number, sql).encode()
    return text, tuple(names)
