"""The catalog as one file of a backup: its tables in the order of their relations, without any tenant's keys."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table

from tenants.catalog.models import CatalogBase
from tenants.isolation.catalog_copying import Connection, catalog_rows, rows_into_catalog

MODULUS = 1 << 256
BATCH_BYTES = 256 * 1024
END = b"\\."
#: The marks in the places of this installation: another one that comes from its backup has its own.
MARKS = "place_marks"
#: What tells of this installation only: who leases which round, what was asked of late, and from which backup it came.
OF_THIS_ONE = {"errands", "platform_rounds", "restorations", MARKS}
#: Columns that no backup holds. What is destroyed in the catalog and the keyring is destroyed in every backup.
KEPT_APART = {("tenant_keys", "wrapped")}


@dataclass
class Counted:
    """How many rows a table has, and a hash over them in whatever order (as for bundles)."""

    rows: int = 0
    total: int = 0

    def add(self, line: bytes) -> None:
        self.total = (self.total + int.from_bytes(hashlib.sha256(line).digest())) % MODULUS
        self.rows += 1

    def said(self) -> dict[str, Any]:
        content = hashlib.sha256(f"{self.rows} {self.total:064x}".encode()).hexdigest()
        return {"rows": self.rows, "content": content}


def catalog_tables() -> Iterator[tuple[str, list[str]]]:
    """Every table that a backup holds with its columns, referred-to tables first."""
    for table in CatalogBase.metadata.sorted_tables:
        if table.name not in OF_THIS_ONE:
            yield str(table.name), _columns(table)


def _columns(table: Table) -> list[str]:
    return [str(each.name) for each in table.columns if (table.name, each.name) not in KEPT_APART]


class CatalogWriter:
    """Writes the file; `tables` says what was in it once it has ended."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.tables: dict[str, dict[str, Any]] = {}

    def pieces(self) -> Iterator[bytes]:
        for name, columns in catalog_tables():
            counted = Counted()
            batch = [json.dumps({"table": name, "columns": columns}).encode()]
            size = 0
            for line in catalog_rows(self._connection, name, columns):
                counted.add(line)
                batch.append(line)
                size += len(line)
                if size > BATCH_BYTES:
                    yield b"\n".join(batch) + b"\n"
                    batch, size = [], 0
            yield b"\n".join([*batch, END]) + b"\n"
            self.tables[name] = counted.said()


def fill_catalog(connection: Connection, chunks: Iterable[bytes]) -> None:
    """Fill empty tables with what such a file holds."""
    lines = _lines(chunks)
    for line in lines:
        said = json.loads(line)
        with rows_into_catalog(connection, said["table"], said["columns"]) as write:
            for row in lines:
                if row == END:
                    break
                write(row + b"\n")


def content_of_catalog(connection: Connection, described: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Rows and hash of these tables as they are now."""
    columns = dict(catalog_tables())
    found = {}
    for name in described:
        counted = Counted()
        for line in catalog_rows(connection, name, columns[name]):
            counted.add(line)
        found[name] = counted.said()
    return found


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
