"""Makes a copy of a tenant equal to the tenant, row by row: all of both is read, and only what differs goes over."""

from collections.abc import Generator, Iterator, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from tenants.isolation.beside import Beside
from tenants.isolation.door import here
from tenants.isolation.horizons import Horizon, written_since
from tenants.isolation.whole_tables import Form, Rows, rows_into, rows_out, without_parameters
from tenants.lifecycle.moves.hashes import Sum, Told, columns_of, has_id, hash_of, key_of, sum_of
from tenants.portability.contents import BundleTable, tables

KEYS_AT_ONCE = 5000
#: When more than so many rows of a table differ, all of it goes over anew.
MOST_KEYS = 200_000


def level_whole(tenant: Beside, tell: Told) -> tuple[dict[str, Sum], int]:
    """Make the copy at hand equal to the tenant beside; the sums of its tables, and how many rows went over."""
    sums: dict[str, Sum] = {}
    went = rows = 0
    for table in tables(whole=True):
        expected = tenant.begin(sum_of, table)
        found = sum_of(table)
        if found != expected.result():
            went += _level(table, tenant, anew=not found.rows)
        sums[table.name] = expected.result()
        rows += sums[table.name].rows
        tell(table.name, rows)
    return sums, went


def keys_gone(table: BundleTable, tenant: Beside) -> list[str]:
    """The keys that are here and not in the tenant beside."""
    return _differences(table, tenant, hashed=False)[0]


def bring(
    table: BundleTable, tenant: Beside, keys: Sequence[str] | None = None, since: Horizon | None = None
) -> int:
    """Take rows over that are not here: all, those of these keys, or what was written since; how many came."""
    names = [each.name for each in table.columns]
    count = 0
    with rows_into(table.table, names) as write:
        for batch in tenant.each(_rows, table, keys, since):
            write(b"".join(batch))
            count += len(batch)
    return count


def _level(table: BundleTable, tenant: Beside, *, anew: bool) -> int:
    """How many rows went over."""
    gone, come = ([], []) if anew else _differences(table, tenant, hashed=True)
    if anew or len(gone) + len(come) > MOST_KEYS:
        here().connection.execute(sa.delete(table.table))
        return bring(table, tenant)
    for some in in_parts(gone):
        here().connection.execute(sa.delete(table.table).where(among(table, some)))
    return sum(bring(table, tenant, some) for some in in_parts(come))


def _differences(table: BundleTable, tenant: Beside, *, hashed: bool) -> tuple[list[str], list[str]]:
    """The keys that have to go from here, and those whose rows have to come, by going through both in one order."""
    gone: list[str] = []
    come: list[str] = []
    theirs = _lines(tenant.each(_listed, table, hashed))
    ours = _lines(_listed(table, hashed))
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


def _listed(table: BundleTable, hashed: bool) -> Generator[Rows, None, None]:  # noqa: FBT001 - `Beside.each` names nothing
    """The key of each row in the order of the keys, and its hash where it is asked for."""
    key = sa.cast(key_of(table), sa.Text)
    columns = (key, hash_of(table)) if hashed else (key,)
    return rows_out(select(*columns).select_from(table.table).order_by(sa.collate(key, "C")), Form.TEXT)


def _lines(batches: Iterator[Rows]) -> Iterator[tuple[str, str]]:
    for batch in batches:
        for line in batch:
            key, _, hashed = line.decode().rstrip("\n").partition("\t")
            yield key, hashed


def _rows(
    table: BundleTable, keys: Sequence[str] | None, since: Horizon | None
) -> Generator[Rows, None, None]:
    query: Select[Any] = select(*columns_of(table))
    if keys is not None:
        given = _given(table, keys)
        condition = key_of(table) == func.any(given)
        query = query.where(without_parameters(condition, {given.key: given.value}, "moving"))
    if since is not None:
        query = query.where(written_since(since))
    return rows_out(query, Form.TEXT)


def among(table: BundleTable, keys: Sequence[str]) -> ColumnElement[bool]:
    """The rows of these keys."""
    return key_of(table) == func.any(_given(table, keys))


def in_parts(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    """As many as one statement is given."""
    for start in range(0, len(keys), KEYS_AT_ONCE):
        yield keys[start : start + KEYS_AT_ONCE]


def _given(table: BundleTable, keys: Sequence[str]) -> sa.BindParameter[Any]:
    values = [UUID(each) for each in keys] if has_id(table) else list(keys)
    return sa.bindparam("these", values, type_=ARRAY(sa.Uuid() if has_id(table) else sa.Text()))
