"""Hashes of rows, made by the database and summed: the same for the same rows, in whatever order.

They are a check against accidents, not against forgery. `hashtextextended` gives the same on every server of one byte
order: PostgreSQL keeps it as it is, because hash partitions lie on disk by it. If it ever differed, no copy would be
found equal, and nothing would move.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, ColumnElement, Select, Text, func, select
from sqlalchemy.dialects import postgresql

from tenants.isolation.door import here
from tenants.isolation.horizons import Horizon, parameters, written_since
from tenants.portability.contents import BundleTable, tables

#: How values are written decides what their hashes are: the same on every server.
WRITTEN = {
    "datestyle": "ISO, YMD",
    "intervalstyle": "iso_8601",
    "bytea_output": "hex",
    "extra_float_digits": "1",
}
NOTHING: ColumnElement[int] = sa.literal_column("0")
SEEDS: tuple[ColumnElement[int], ...] = (sa.literal_column("0"), sa.literal_column("1"))
Told = Callable[[str, int], None]


@dataclass(frozen=True)
class Sum:
    """So many rows, and the sums of their two hashes of 64 bits."""

    rows: int = 0
    first: int = 0
    second: int = 0

    def __add__(self, other: "Sum") -> "Sum":
        return Sum(self.rows + other.rows, self.first + other.first, self.second + other.second)

    def __sub__(self, other: "Sum") -> "Sum":
        return Sum(self.rows - other.rows, self.first - other.first, self.second - other.second)


@dataclass(frozen=True)
class Tally:
    """All rows of a table and the sum of their keys' hashes; and the sum of those that were written since a moment."""

    rows: int
    keys: int
    since: Sum


Reading = Mapping[str, Sum | Tally]


def as_json(sums: Mapping[str, Sum]) -> dict[str, Any]:
    """The sums as text: they are longer than numbers of JSON."""
    return {name: (each.rows, f"{each.first}:{each.second}") for name, each in sums.items()}


def from_json(found: Mapping[str, Any]) -> dict[str, Sum]:
    return {name: Sum(rows, *map(int, sums.split(":"))) for name, (rows, sums) in found.items()}


def write_alike() -> None:
    """Have the transaction at hand write values as the one on the other server does."""
    said = [func.set_config(name, value, sa.true()) for name, value in WRITTEN.items()]
    here().connection.execute(select(*said))


def read_here(since: Horizon | None, tell: Told = lambda _table, _rows: None) -> Reading:
    """Every table of the tenant at hand: all that is in its rows, or every key and the rows that were written since."""
    if since is not None:
        return tallies(since)
    found: dict[str, Sum] = {}
    rows = 0
    for table in tables(whole=True):
        found[table.name] = sum_of(table)
        rows += found[table.name].rows
        tell(table.name, rows)
    return found


def differing(one: Reading, other: Reading) -> list[str]:
    """The tables that were not read alike."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def sum_of(table: BundleTable) -> Sum:
    """Of all rows of a table of the tenant at hand."""
    # Without the offset PostgreSQL would write out each row once for each hash.
    texts = select(text_of(table).label("text")).select_from(table.table).offset(0).subquery()
    return _found(select(func.count(), *_summed(texts.c.text)))


def removed(table: BundleTable, which: ColumnElement[bool]) -> Sum:
    """Delete rows; the sum of those that there were."""
    deleted = sa.delete(table.table).where(which).returning(text_of(table).label("text")).cte()
    return _found(select(func.count(), *_summed(deleted.c.text)))


def tallies(horizon: Horizon) -> dict[str, Tally]:
    """Of every table, all in one trip."""
    found = here().connection.exec_driver_sql(_tallied(), parameters(horizon))
    return {name: Tally(rows, int(keys), Sum(*map(int, since))) for name, rows, keys, *since in found}


@lru_cache(1)
def _tallied() -> str:
    """The statement as text: to put it together takes longer than to read a small tenant."""
    late = written_since(Horizon("", 0))
    each: list[Any] = [
        select(
            sa.literal_column(f"'{table.name}'"),
            func.count(),
            func.coalesce(func.sum(_hash(sa.cast(key_of(table), Text), SEEDS[0])), NOTHING),
            func.count().filter(late),
            *(func.coalesce(func.sum(_hash(text_of(table), seed)).filter(late), NOTHING) for seed in SEEDS),
        ).select_from(table.table)
        for table in tables(whole=True)
    ]
    named = postgresql.dialect(paramstyle="pyformat")  # type: ignore[no-untyped-call]
    return str(sa.union_all(*each).compile(dialect=named))


def key_of(table: BundleTable) -> ColumnElement[Any]:
    """The key itself where it is an id, else a hash of it, which no character in it can confuse."""
    key = [table.table.c[name] for name in table.key]
    return key[0] if has_id(table) else func.md5(sa.cast(func.row(*key), Text))


def has_id(table: BundleTable) -> bool:
    return len(table.key) == 1 and isinstance(table.table.c[table.key[0]].type, sa.Uuid)


def text_of(table: BundleTable) -> ColumnElement[str]:
    """A row as PostgreSQL writes it out."""
    return sa.cast(func.row(*columns_of(table)), Text)


def columns_of(table: BundleTable) -> list[ColumnElement[Any]]:
    return [table.table.c[each.name] for each in table.columns]


def hash_of(table: BundleTable) -> ColumnElement[int]:
    """Of one row, to tell it from what it was."""
    return _hash(text_of(table), SEEDS[0])


def _found(sums: Select[Any]) -> Sum:
    return Sum(*map(int, here().connection.execute(sums).one()))


def _summed(text: ColumnElement[str]) -> list[ColumnElement[Any]]:
    return [func.coalesce(func.sum(_hash(text, seed)), 0) for seed in SEEDS]


def _hash(text: ColumnElement[str], seed: ColumnElement[int]) -> ColumnElement[int]:
    return func.hashtextextended(sa.collate(text, "C"), seed, type_=BigInteger)
