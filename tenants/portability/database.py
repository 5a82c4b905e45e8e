"""The tables of a bundle as one SQLite file, with keys, relations and indexes."""

import sqlite3
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from tenants.foundation.errors import Unavailable
from tenants.portability.columns import BOOLEAN, BYTES, LIST, WHOLE, Field
from tenants.portability.contents import BundleTable

CHUNK_BYTES = 1024 * 1024
#: Numbers with decimals are texts here, because SQLite would round them.
TYPES: dict[str, Any] = {
    WHOLE.name: sa.BigInteger(),
    BOOLEAN.name: sa.Boolean(),
    BYTES.name: sa.LargeBinary(),
}
#: Nothing of this file is worth saving from a crash: it is made anew.
HASTY = ("pragma journal_mode = off", "pragma synchronous = off", "pragma locking_mode = exclusive", "begin")
_dialect = sqlite.dialect()


class Database:
    """A file on this machine that has no name: whatever ends the process, nothing is left of it."""

    def __init__(self) -> None:
        with tempfile.TemporaryDirectory(prefix="export-") as folder:
            path = Path(folder) / "data.sqlite"
            path.touch(0o600)
            # Foreign threads never use it: a generator may be driven by one after another.
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            for each in HASTY:
                self._connection.execute(each)
            self._file: IO[bytes] = path.open("rb")

    def fill(self, table: BundleTable, lines: Iterator[bytes], *, alone: bool) -> Iterator[None]:
        """Put in a table's rows, from JSON lines in which documents are texts; `alone` leaves out its relations.

        Raises Unavailable when the disk of this machine is full.
        """
        made = _sqlite_table(table, alone=alone)
        self._connection.execute(str(CreateTable(made).compile(dialect=_dialect)))
        insert = str(
            sa.insert(made).compile(dialect=_dialect, column_keys=[each.name for each in made.columns])
        )
        readers = [(each.name, _reading(each)) for each in table.columns]
        for piece in lines:
            rows = map(orjson.loads, piece.splitlines())
            values = [tuple(read(row[name]) for name, read in readers) for row in rows]
            with _room():
                self._connection.executemany(insert, values)
            yield
        with _room():
            for index in sorted(made.indexes, key=lambda each: str(each.name)):
                self._connection.execute(str(CreateIndex(index).compile(dialect=_dialect)))

    def content(self) -> Generator[bytes, None, None]:
        """The whole file, once everything is in it."""
        with _room():
            self._connection.execute("commit")
        self._connection.close()
        with closing(self._file) as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk

    def close(self) -> None:
        """Let go of it, at whatever point."""
        self._connection.close()
        self._file.close()


@contextmanager
def _room() -> Iterator[None]:
    """Say in a sentence that there is no room left."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise Unavailable(f"The SQLite file can't be written on this machine: {error}.") from error


def _sqlite_table(table: BundleTable, *, alone: bool) -> sa.Table:
    """The table as SQLite has it. A relation may point at a table that is yet to come."""
    metadata = sa.MetaData()
    references = {} if alone else {each.column: f"{each.table}.{each.target}" for each in table.references}
    columns = [
        sa.Column(
            each.name,
            TYPES.get(each.kind.name, sa.Text()),
            *([sa.ForeignKey(references[each.name])] if each.name in references else []),
            primary_key=each.name in table.key,
            nullable=not each.required,
            index=each.name in references,
        )
        for each in table.columns
    ]
    unique = [sa.Index(f"{table.name}_{'_'.join(names)}_key", *names, unique=True) for names in table.unique]
    for name, column in {tuple(each.split(".")) for each in references.values()}:
        if name != table.name:
            sa.Table(name, metadata, sa.Column(column, sa.Text()))
    return sa.Table(table.name, metadata, *columns, *unique)


def _reading(field: Field) -> Callable[[Any], Any]:
    if field.kind is BYTES:
        return lambda value: None if value is None else bytes.fromhex(value)
    if field.kind is LIST:
        return lambda value: None if value is None else orjson.dumps(value).decode()
    return lambda value: value
