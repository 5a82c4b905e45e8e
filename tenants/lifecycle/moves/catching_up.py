"""Makes a copy equal to the tenant by what was written since both were last known to be the same.

A row of the tenant that was not written since is one that it had then, and the copy, which nobody wrote to, has it as it
was. So the copy lacks no key once the rows that were written since have come. It may have keys that are gone: then it
has more rows, and only then are keys listed. Any doubt (a server that was started again or set back, a copy that
somebody wrote to) means that all is read again.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select

from tenants.isolation.beside import Beside
from tenants.isolation.horizons import Horizon, written_since
from tenants.isolation.whole_tables import Form, Rows, rows_out
from tenants.lifecycle.moves.hashes import Reading, Sum, Tally, Told, key_of, removed, tallies
from tenants.lifecycle.moves.levelling import among, bring, in_parts, keys_gone, level_whole
from tenants.lifecycle.moves.watermarks import Watermark
from tenants.portability.contents import BundleTable, tables


@dataclass(frozen=True)
class Level:
    """What was made equal: the sums of the tenant's tables, and what the copy has to be `read_here` as.

    `since` is what was built upon, and what that is to be read from; None when all was read.
    """

    sums: dict[str, Sum]
    expected: Reading
    since: Watermark | None = None


def level(tenant: Beside, tell: Told, since: Watermark | None = None) -> tuple[Level, int]:
    """Make the copy at hand equal to the tenant beside; and how many rows went over."""
    if since is not None and since.holds(tenant):
        beside = tenant.begin(tallies, since.tenant)
        if since.is_what_is_here():
            return _catch_up(tenant, tell, since, beside.result())
        beside.result()
    sums, went = level_whole(tenant, tell)
    return Level(sums, sums), went


def _catch_up(tenant: Beside, tell: Told, since: Watermark, found: dict[str, Tally]) -> tuple[Level, int]:
    sums: dict[str, Sum] = {}
    went = rows = 0
    for table in tables(whole=True):
        tally, before = found[table.name], since.sums[table.name]
        if tally.since.rows or tally.rows != before.rows:
            gone = _remove(table, tenant, since.tenant, before, tally)
            went += bring(table, tenant, since=since.tenant)
            sums[table.name] = before - gone + tally.since
        else:
            sums[table.name] = before
        rows += tally.rows
        tell(table.name, rows)
    return Level(sums, found, since), went


def _remove(table: BundleTable, tenant: Beside, horizon: Horizon, before: Sum, tally: Tally) -> Sum:
    """Delete here what comes anew, and what is gone there; the sum of both."""
    gone = Sum()
    for batch in tenant.each(_keys_since, table, horizon):
        for some in in_parts([line.decode().rstrip("\n") for line in batch]):
            gone += removed(table, among(table, some))
    if before.rows - gone.rows != tally.rows - tally.since.rows:
        for some in in_parts(keys_gone(table, tenant)):
            gone += removed(table, among(table, some))
    return gone


def _keys_since(table: BundleTable, horizon: Horizon) -> Generator[Rows, None, None]:
    keys: Any = select(sa.cast(key_of(table), sa.Text)).select_from(table.table)
    return rows_out(keys.where(written_since(horizon)), Form.TEXT)
