"""Fingerprints of all that a tenant's tables hold."""

from sqlalchemy import text

from tenants.catalog.registry import Home
from tenants.foundation.afterwards import afterwards
from tenants.foundation.tables import Base
from tenants.isolation.door import db, inside


def fingerprints(home: Home) -> dict[str, str]:
    """A hash of the rows of each table of a tenant."""
    each = " union all ".join(
        f"select '{name}', coalesce(md5(string_agg(t::text, '|' order by t::text)), '') from {name} t"  # noqa: S608 - our tables
        for name in sorted(Base.metadata.tables)
    )
    afterwards.settle()
    with inside(home, patience_seconds=60):
        return {row[0]: row[1] for row in db().execute(text(each))}
