"""Brings a tenant back as itself from a whole bundle: the tables as the bundle describes them, of whatever revision."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from tenants.foundation.errors import Conflict
from tenants.foundation.tables import Purpose
from tenants.isolation.door import here
from tenants.portability.columns import (
    BOOLEAN,
    BYTES,
    DATE,
    DECIMAL,
    DOCUMENT,
    LIST,
    MOMENT,
    TEXT,
    UUID,
    WHOLE,
)
from tenants.portability.comparing import content_here, differences
from tenants.portability.contents import BundleTable, Reference
from tenants.portability.described import Described, DescribedTable
from tenants.portability.filling import Filling
from tenants.portability.opening import OpenBundle
from tenants.portability.telling import Told, to_nobody

TYPES: dict[str, Any] = {
    kind.name: type_
    for kind, type_ in (
        (TEXT, sa.Text()),
        (UUID, sa.Uuid()),
        (WHOLE, sa.BigInteger()),
        (DECIMAL, sa.Numeric()),
        (BOOLEAN, sa.Boolean()),
        (DATE, sa.Date()),
        (MOMENT, sa.DateTime(timezone=True)),
        (BYTES, sa.LargeBinary()),
        (DOCUMENT, postgresql.JSONB()),
        (LIST, postgresql.ARRAY(sa.Text())),
    )
}


def fill_as_it_was(bundle: OpenBundle, expected: dict[str, str], tell: Told = to_nobody) -> None:
    """Fill the empty tables of the tenant at hand, read them again, and compare: equal row by row, or Conflict."""
    tables = tables_of(bundle.described)
    Filling(bundle, here().home.id, {}, tell, tables).fill()
    if different := differences(expected, content_here(tell, tables)):
        raise Conflict(
            f"What came back is not what was put away, in {', '.join(different)}. Nothing was kept."
        )


def tables_of(described: Described) -> list[BundleTable]:
    """The tables of a bundle as it describes them itself, in its order."""
    places = {each.name: place for place, each in enumerate(described.tables)}
    return [_table(each, places) for each in described.tables]


def _table(described: DescribedTable, places: dict[str, int]) -> BundleTable:
    columns = [sa.Column(each.name, TYPES[each.kind.name]) for each in described.fields]
    return BundleTable(
        name=described.name,
        purpose=Purpose.OPERATION,
        columns=described.fields,
        key=described.key,
        unique=tuple((name,) for name in described.unique),
        references=tuple(
            # What is filled later than the row that refers to it is referred to once it is there.
            Reference(each.field, each.table, "id", closes_circle=places[each.table] > places[described.name])
            for each in described.references
        ),
        names_tenant=described.names_tenant,
        table=sa.Table(described.name, sa.MetaData(), *columns),
    )
