"""Makes a copy of a tenant equal to the tenant, row by row: only what differs goes over.

So it is done while people work there, again for what they did meanwhile, and last while nothing is written.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.dialects.postgresql import ARRAY, BIT

from tenants.isolation.beside import Beside
from tenants.isolation.door import here
from tenants.isolation.whole_tables import Form, Rows, rows_into, rows_out, without_parameters
from tenants.portability.contents import BundleTable, tables

Told = Callable[[str, int], None]
#: How many rows a table has, and the sum of their hashes: the same for the same rows, in whatever order.
Sum = tuple[int, str]
KEYS_AT_ONCE = 5000
#: When more than so many rows of a table differ, all of it goes over anew.
MOST_KEYS = 200_000
#: How values are written decides what their hashes are: the same on every server.
WRITTEN = {
    "datestyle": "ISO, YMD",
    "intervalstyle": "iso_8601",
    "bytea_output": "hex",
    "extra_float_digits": "1",
}


def write_alike() -> None:
    """Have the transaction at hand write values as the one on the other server does."""
    said = [func.set_config(name, value, sa.true()) for name, value in WRITTEN.items()]
    here().connection.execute(select(*said))


def level(tenant: Beside, tell: Told) -> tuple[dict[str, Sum], int]:
    """Make the copy at hand equal to the tenant beside; the sums of its tables, and how many rows went over."""
    sums: dict[str, Sum] = {}
    went = rows = 0
    for table in tables(whole=True):
        expected = tenant.begin(sum_of, table)
        found = sum_of(table)
        if found != expected.result():
            went += _level(table, tenant, anew=not found[0])
        sums[table.name] = expected.result()
        rows += sums[table.name][0]
        tell(table.name, rows)
    return sums, went


def sums_here(tell: Told = lambda _table, _rows: None) -> dict[str, Sum]:
    """The sums of all tables of the tenant at hand."""
    found: dict[str, Sum] = {}
    rows = 0
    for table in tables(whole=True):
        found[table.name] = sum_of(table)
        rows += found[table.name][0]
        tell(table.name, rows)
    return found


def sum_of(table: BundleTable) -> Sum:
    """Both halves of the MD5 of each row, summed."""
    md5 = _md5(table)
    halves = (
        func.coalesce(func.sum(sa.cast(_number(func.substr(md5, place, 16)), sa.Numeric)), 0)
        for place in (1, 17)
    )
    count, first, second = (
        here().connection.execute(select(func.count(), *halves).select_from(table.table)).one()
    )
    return count, f"{first}:{second}"


def _level(table: BundleTable, tenant: Beside, *, anew: bool) -> int:
    """How many rows went over."""
    gone, come = ([], []) if anew else _differences(table, tenant)
    if anew or len(gone) + len(come) > MOST_KEYS:
        here().connection.execute(sa.delete(table.table))
        return _bring(table, tenant, None)
    for some in _in_parts(gone):
        here().connection.execute(sa.delete(table.table).where(_key(table) == func.any(_given(table, some))))
    return sum(_bring(table, tenant, some) for some in _in_parts(come))


def _differences(table: BundleTable, tenant: Beside) -> tuple[list[str], list[str]]:
    """The keys that have to go from here, and those whose rows have to come, by going through both in one order."""
    gone: list[str] = []
    come: list[str] = []
    theirs = _lines(tenant.each(_listed, table))
    ours = _lines(_listed(table))
    left, right = next(theirs, None), next(ours, None)
    while left or right:
        if right is None or (left is not None and left[0] < right[0]):
            come.append(left[0])  # type: ignore[index]
            left = next(theirs, None)
        elif left is None or right[0] < left[0]:
            gone.append(right[0])
            right = next(ours, None)
        else:
            if left[1] != right[1]:
                gone.append(right[0])
                come.append(left[0])
            left, right = next(theirs, None), next(ours, None)
    return gone, come


def _listed(table: BundleTable) -> Generator[Rows, None, None]:
    """Key and hash of each row, in the order of the keys."""
    key = sa.cast(_key(table), sa.Text)
    return rows_out(select(key, _md5(table)).order_by(sa.collate(key, "C")), Form.TEXT)


def _lines(batches: Iterator[Rows]) -> Iterator[tuple[str, str]]:
    for batch in batches:
        for line in batch:
            key, _, hashed = line.decode().rstrip("\n").partition("\t")
            yield key, hashed


def _bring(table: BundleTable, tenant: Beside, keys: Sequence[str] | None) -> int:
    names = [each.name for each in table.columns]
    count = 0
    with rows_into(table.table, names) as write:
        for batch in tenant.each(_rows, table, keys):
            write(b"".join(batch))
            count += len(batch)
    return count


def _rows(table: BundleTable, keys: Sequence[str] | None) -> Generator[Rows, None, None]:
    query: Select[Any] = select(*_columns(table))
    if keys is not None:
        given = _given(table, keys)
        condition = _key(table) == func.any(given)
        query = query.where(without_parameters(condition, {given.key: given.value}, "moving"))
    return rows_out(query, Form.TEXT)


def _columns(table: BundleTable) -> list[ColumnElement[Any]]:
    return [table.table.c[each.name] for each in table.columns]


def _key(table: BundleTable) -> ColumnElement[Any]:
    """The key itself where it is an id, else a hash of it, which no character in it can confuse."""
    key = [table.table.c[name] for name in table.key]
    if _is_id(table):
        return key[0]
    return func.md5(sa.cast(func.row(*key), sa.Text))


def _is_id(table: BundleTable) -> bool:
    return len(table.key) == 1 and isinstance(table.table.c[table.key[0]].type, sa.Uuid)


def _given(table: BundleTable, keys: Sequence[str]) -> sa.BindParameter[Any]:
    values = [UUID(each) for each in keys] if _is_id(table) else list(keys)
    return sa.bindparam("these", values, type_=ARRAY(sa.Uuid() if _is_id(table) else sa.Text()))


def _md5(table: BundleTable) -> ColumnElement[Any]:
    return func.md5(sa.cast(func.row(*_columns(table)), sa.Text))


def _number(hexadecimal: ColumnElement[Any]) -> ColumnElement[Any]:
    """Sixteen hexadecimal digits as a whole number."""
    return sa.cast(sa.cast(func.concat("x", hexadecimal), BIT(64)), sa.BigInteger)


def _in_parts(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), KEYS_AT_ONCE):
        yield keys[start : start + KEYS_AT_ONCE]
