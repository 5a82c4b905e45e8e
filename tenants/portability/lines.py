"""A table's rows as the lines of a bundle's file, with sealed values opened on the way.

The key and the sealed columns come first. None of them can hold a comma or a quote while sealed, so a row is cut
behind them without being parsed, and a row whose sealed values are all missing goes through as it came.
"""

import json
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select, func

from tenants.foundation.encryption import Context
from tenants.isolation.sealing import opened_text
from tenants.isolation.whole_tables import Form, rows_out
from tenants.portability.columns import DOCUMENT, as_text, hexadecimal
from tenants.portability.contents import BundleTable
from tenants.portability.formats import Format

NULL = b"\\N"
UUID_LENGTH = 36


def lines_of(
    table: BundleTable, format_: Format, tenant_id: UUID, only: ColumnElement[bool] | None = None
) -> Generator[tuple[int, bytes], None, None]:
    """Pieces of the table's file, each with the number of rows in it. Runs in the tenant's transaction.

    They are JSON lines for every format but CSV. `only` is a condition on the rows, without parameters.
    """
    if format_ is Format.CSV:
        yield 0, b",".join(each.name.encode() for each in table.columns) + b"\r\n"
    met = [] if only is None else [only]
    query, form = (
        (_csv_query(table).where(*met), Form.CSV)
        if format_ is Format.CSV
        else (_json_query(table, met, format_), Form.JSON)
    )
    opened = _opening(table, format_, tenant_id) if table.sealed else None
    end = b"\r\n" if format_ is Format.CSV else b"\n"
    with closing(rows_out(query, form)) as batches:
        for rows in batches:
            yield len(rows), _ending(opened(rows) if opened else rows, end)


def _ending(rows: Sequence[bytes], end: bytes) -> bytes:
    """Rows that end with a line feed as lines with this end."""
    text = b"".join(rows)
    if end == b"\n":
        return text
    if text.count(b"\n") == len(rows):
        return text.replace(b"\n", end)
    return b"".join(part for row in rows for part in (row[:-1], end))


def _csv_query(table: BundleTable) -> Select[Any]:
    return sa.select(
        *(
            hexadecimal(table.table.c[each.name]) if each.sealed else each.kind.in_csv(table.stored(each))
            for each in table.columns
        )
    )


def _json_query(table: BundleTable, met: Sequence[ColumnElement[bool]], format_: Format) -> Select[Any]:
    """The sealed values beside the JSON of the rest. Documents are texts where the format has no type for them."""
    shown = [
        (each, as_text if each.kind is DOCUMENT and format_ is not Format.JSONL else each.kind.in_json)
        for each in table.columns
        if not each.sealed
    ]
    plain = [sql(table.stored(each)).label(each.name) for each, sql in shown]
    if not table.sealed:
        row = sa.select(*plain).where(*met).subquery("r")
        return sa.select(_row_json("r")).select_from(row)
    apart = [
        hexadecimal(table.table.c[each.name]).label(f"sealed_{number}")
        for number, each in enumerate(table.sealed)
    ]
    key = table.table.c[table.key[0]].label("sealed_for")
    row = sa.select(key, *apart, *plain).where(*met).subquery("s")
    inner = sa.select(*(row.c[each.name] for each in plain)).correlate(row).subquery("r")
    whole = sa.select(_row_json("r")).select_from(inner).scalar_subquery()
    return sa.select(row.c.sealed_for, *(row.c[each.name] for each in apart), whole)


def _row_json(alias: str) -> ColumnElement[str]:
    return func.row_to_json(sa.literal_column(alias))


def _opening(table: BundleTable, format_: Format, tenant_id: UUID) -> Callable[[list[bytes]], list[bytes]]:
    names = [each.name for each in table.sealed]
    if format_ is not Format.CSV:
        return lambda rows: [_opened_json(table.name, names, tenant_id, row[:-1]) + b"\n" for row in rows]
    # Most rows have nothing sealed in them, and those of an export are many.
    nothing = (b"," + NULL) * len(names)
    return lambda rows: [
        row
        if row.startswith(nothing, UUID_LENGTH)
        else _opened_csv(table.name, names, tenant_id, row[:-1]) + b"\n"
        for row in rows
    ]


def _opened_csv(table: str, names: list[str], tenant_id: UUID, row: bytes) -> bytes:
    key, *rest = row.split(b",", len(names) + 1)
    sealed, others = rest[: len(names)], rest[len(names) :]
    opened = [_opened(table, name, tenant_id, key, each) for name, each in zip(names, sealed, strict=True)]
    return b",".join([key, *map(_csv_field, opened), *others])


def _opened_json(table: str, names: list[str], tenant_id: UUID, row: bytes) -> bytes:
    key, *sealed, others = row.split(b"\x02", len(names) + 1)
    opened = {
        name: _opened(table, name, tenant_id, key, each) for name, each in zip(names, sealed, strict=True)
    }
    return json.dumps(opened, ensure_ascii=False, separators=(",", ":"))[:-1].encode() + b"," + others[1:]


def _opened(table: str, name: str, tenant_id: UUID, key: bytes, sealed: bytes) -> str | None:
    if sealed == NULL:
        return None
    return opened_text(bytes.fromhex(sealed.decode()), Context(tenant_id, table, name, UUID(key.decode())))


def _csv_field(text: str | None) -> bytes:
    """As COPY writes it: quoted where a reader could take it for something else."""
    if text is None:
        return NULL
    plain = text and not any(each in text for each in ',"\r\n') and text not in ("\\N", "\\.")
    return text.encode() if plain else b'"' + text.replace('"', '""').encode() + b'"'
