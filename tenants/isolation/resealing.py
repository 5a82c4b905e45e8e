"""Seals everything anew that another version of the tenant's data key has sealed: columns, rows of their own kind, files.

What is sealed is known from the models, so that no feature can be forgotten. Rows that hold sealed values inside of
something else have to say so (`holds_sealed`).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import ColumnElement, func

from tenants.foundation.encryption import (
    HEADER_BYTES,
    SEALED_VALUE,
    Context,
    Unreadable,
    header_of,
    key_version,
    seal,
    unseal,
)
from tenants.foundation.sealed_streams import SEALED_STREAM, seal_stream, unseal_stream
from tenants.foundation.tables import Base
from tenants.isolation.door import db
from tenants.isolation.files import place_of
from tenants.isolation.sealing import keys, place_in
from tenants.isolation.storage import NotStored, TenantStorage

ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Resealed:
    """What came of a batch: the last id it looked at (None after the last batch), and how many values did not open."""

    last: UUID | None
    rows: int
    unreadable: int = 0


@dataclass(frozen=True)
class Holder:
    """Rows that hold sealed values inside of something else, as hexadecimal text.

    `reseal` does some of them and says how many values it sealed anew, 0 when none is left; `left` counts the rows
    that still hold values of another version than the given one.
    """

    table: str
    reseal: Callable[[int], int]
    left: Callable[[int], int]


_holders: dict[str, Holder] = {}


def holds_sealed(holder: Holder) -> None:
    """Say at import which rows hold sealed values inside of something else."""
    _holders[holder.table] = holder


def holders() -> Sequence[Holder]:
    return list(_holders.values())


def sealed_tables() -> Iterator[tuple[str, list[str]]]:
    """Every table with sealed columns, and their names."""
    for table in Base.metadata.sorted_tables:
        if sealed := [each.name for each in table.columns if each.info.get("sealed")]:
            yield str(table.name), sealed


def left_to_reseal(version: int) -> dict[str, int]:
    """How many rows of each table of the tenant at hand hold something sealed with another version than this."""
    counted = {}
    for name, columns in sealed_tables():
        table = _plain(name, columns)
        stale = sa.select(func.count()).select_from(table).where(_any_stale(table, version))
        counted[name] = db().scalar(stale) or 0
    for holder in holders():
        counted[holder.table] = counted.get(holder.table, 0) + holder.left(version)
    return {name: count for name, count in counted.items() if count}


def reseal_rows(name: str, columns: Sequence[str], version: int, after: UUID | None) -> Resealed:
    """Seal some rows of a table of the tenant at hand with this version: those of ids after the given one.

    What somebody changes meanwhile stays as they leave it: they seal with the newest version anyway. No record counts
    as changed, as what it says is the same.
    """
    table = _plain(name, columns)
    query = sa.select(table).where(_any_stale(table, version)).order_by(table.c.id).limit(ROWS_AT_ONCE)
    rows = db().execute(query if after is None else query.where(table.c.id > after)).all()
    unreadable = 0
    for column in columns:
        changes, closed = _changes(name, column, rows, version)
        unreadable += closed
        if changes:
            same = (table.c.id == sa.bindparam("at"), table.c[column] == sa.bindparam("old"))
            statement = sa.update(table).where(*same).values({column: sa.bindparam("new")})
            db().connection().execute(statement, changes)
    return Resealed(rows[-1].id if len(rows) == ROWS_AT_ONCE else None, len(rows), unreadable)


def _changes(name: str, column: str, rows: Sequence[Any], version: int) -> tuple[list[dict[str, Any]], int]:
    """What becomes of a column of these rows: id, value as it is, and new value; and how many values don't open."""
    changes, closed = [], 0
    for row in rows:
        sealed = getattr(row, column)
        if sealed is None or key_version(sealed) == version:
            continue
        try:
            new = sealed_anew(sealed, place_in(name, column, row.id), version)
            changes.append({"at": row.id, "old": sealed, "new": new})
        except Unreadable:
            closed += 1
    return changes, closed


def sealed_anew(sealed: bytes, place: Context, version: int) -> bytes:
    """The same value under this version of the key. Raises Unreadable."""
    ring, tenant_id = keys(), place.tenant_id
    plain = unseal(ring.version(tenant_id, key_version(sealed)), sealed, place)
    return seal(ring.version(tenant_id, version), plain, place)


def file_version(storage: TenantStorage, name: str) -> int | None:
    """With which version a file is sealed; None for one that is not sealed, or gone."""
    try:
        with storage.open_stream(name) as chunks:
            header = next(chunks, b"")[:HEADER_BYTES]
    except NotStored:
        return None
    return key_version(header) if header[:1] == SEALED_STREAM and len(header) == HEADER_BYTES else None


def reseal_file(tenant_id: UUID, storage: TenantStorage, name: str, version: int) -> None:
    """Put the same file in its place, sealed with this version; one that is removed meanwhile stays removed.

    Raises Unreadable when it was altered: then it is left as it is.
    """
    ring, place = keys(), place_of(tenant_id, name)

    def anew(chunks: Iterator[bytes]) -> Iterator[bytes]:
        plain = unseal_stream(lambda old: ring.version(tenant_id, old), chunks, place)
        return seal_stream(ring.version(tenant_id, version), plain, place)

    storage.rewrite(name, anew)


def _plain(name: str, columns: Sequence[str]) -> Any:
    """The table without what SQLAlchemy would do to its other columns on a change."""
    return sa.table(
        name, sa.column("id", sa.Uuid()), *(sa.column(each, sa.LargeBinary()) for each in columns)
    )


def _any_stale(table: Any, version: int) -> ColumnElement[bool]:
    header = header_of(SEALED_VALUE, version)
    sealed = [each for each in table.c if each.name != "id"]
    return sa.or_(*(each.is_not(None) & (func.substr(each, 1, HEADER_BYTES) != header) for each in sealed))
