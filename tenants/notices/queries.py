"""What the answers about notices show beyond their own columns, as SQL over the resource's table."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from tenants.access.reaching import ME


def read_at(table: Any) -> ColumnElement[Any]:
    """When the caller read it."""
    return sa.cast(table.c.readers[sa.cast(ME, sa.Text)].astext, sa.DateTime(timezone=True))


def read(table: Any) -> ColumnElement[Any]:
    """Whether the caller read it."""
    return sa.func.coalesce(table.c.readers.has_key(sa.cast(ME, sa.Text)), sa.false())
