"""Whether two tenants hold the same, row by row, over what sealed fields say and not how they are sealed."""

import io
from collections.abc import Iterator, Mapping, Sequence

from tenants.catalog.registry import Home
from tenants.foundation.errors import Conflict
from tenants.isolation.door import here
from tenants.portability.bundling import snapshot
from tenants.portability.content import ContentHash
from tenants.portability.contents import BundleTable, tables
from tenants.portability.formats import Format
from tenants.portability.lines import lines_of
from tenants.portability.rows import rows_of
from tenants.portability.telling import Told, to_nobody


def content_of(
    home: Home, tell: Told = to_nobody, these: Sequence[BundleTable] | None = None
) -> dict[str, str]:
    """The content hash of each table of a tenant, all from one moment; `these` as for `content_here`."""
    with snapshot(home):
        return content_here(tell, these)


def content_here(tell: Told = to_nobody, these: Sequence[BundleTable] | None = None) -> dict[str, str]:
    """The content hash of each table of the tenant at hand, without the columns that name the tenant itself.

    `these` are the tables to look at; all that an export holds, when none are named.
    """
    found: dict[str, str] = {}
    rows = 0
    for table in tables() if these is None else these:
        content = ContentHash(table.columns, table.names_tenant)
        for _, values in rows_of(table.columns, Format.CSV, _lines(table)):
            content.add(values)
        rows += content.rows
        tell(table.name, rows)
        found[table.name] = content.hexdigest()
    return found


def differences(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """The tables that are not equal, or not there on one side."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def must_be_equal(expected: Mapping[str, str], found: Mapping[str, str]) -> None:
    """What was read again from the tables is what the bundle holds, before it counts. Raises Conflict."""
    if different := differences(expected, found):
        raise Conflict(
            f"What arrived is not what the bundle holds, in {', '.join(different)}. Nothing was kept."
        )


def _lines(table: BundleTable) -> Iterator[bytes]:
    for _, content in lines_of(table, Format.CSV, here().home.id):
        yield from io.BytesIO(content)
