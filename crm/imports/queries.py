"""What came of imports so far."""

from itertools import chain
from typing import Any

import sqlalchemy as sa
from sqlalchemy import func

from crm.imports.models import ImportBatch

OUTCOMES = ("created", "updated", "skipped", "rejected")


def object_of(**parts: Any) -> Any:
    """A JSON object of these members."""
    pairs: list[tuple[Any, Any]] = [(sa.literal_column(f"'{name}'"), value) for name, value in parts.items()]
    return func.json_build_object(*chain.from_iterable(pairs))


def counts(imports: Any) -> Any:
    """How many rows an import has, and what came of those that have had their effect."""
    batches: Any = ImportBatch.__table__.alias("batch")
    sums = {name: func.coalesce(func.sum(batches.c[name]), 0) for name in OUTCOMES}
    query = sa.select(object_of(rows=imports.c.rows, **sums)).where(batches.c.import_id == imports.c.id)
    return query.correlate(imports).scalar_subquery()
