"""A table's rows as a Parquet file: typed, compressed with zstd, made in the memory of one row group."""

from collections.abc import Generator
from io import RawIOBase
from typing import Any

import sqlalchemy as sa
from arro3.core import DataType, Schema
from arro3.core import Field as ArrowField
from arro3.io import read_json, write_parquet

from tenants.portability.columns import BOOLEAN, BYTES, DATE, DECIMAL, LIST, MOMENT, WHOLE, Kind, kind_of
from tenants.portability.contents import BundleTable
from tenants.portability.streams import through

COMPRESSION = "zstd(3)"
ROWS_AT_ONCE = 1000
ROWS_IN_A_GROUP = 20_000
#: Every other kind is text: ids, documents, and numbers whose digits no type limits.
SIMPLE = {
    WHOLE.name: DataType.int64(),
    BOOLEAN.name: DataType.bool(),
    DATE.name: DataType.date32(),
    MOMENT.name: DataType.timestamp("us", tz="UTC"),
    BYTES.name: DataType.binary(),
}


def parquet_of(table: BundleTable, lines: Generator[bytes, None, None]) -> Generator[bytes, None, None]:
    """The file, in pieces, from the table's JSON lines, in which documents are texts."""
    schema = Schema([_arrow(table, each.name, required=each.required) for each in table.columns])

    def write(source: RawIOBase, file: RawIOBase) -> None:
        rows = read_json(source, schema, batch_size=ROWS_AT_ONCE)  # type: ignore[arg-type]
        write_parquet(rows, file, compression=COMPRESSION, max_row_group_size=ROWS_IN_A_GROUP)  # type: ignore[arg-type]

    return through(write, lines)


def _arrow(table: BundleTable, name: str, *, required: bool) -> ArrowField:
    column = table.table.c[name]
    return ArrowField(name, _type(kind_of(column), column.type), nullable=not required)


def _type(kind: Kind, type_: Any) -> DataType:
    if kind is LIST:
        element = kind_of(sa.Column("item", type_.item_type))
        return DataType.list(ArrowField("item", _type(element, type_.item_type), nullable=True))
    if kind is DECIMAL and type_.precision is not None:
        return DataType.decimal128(type_.precision, type_.scale or 0)
    return SIMPLE.get(kind.name, DataType.utf8())
