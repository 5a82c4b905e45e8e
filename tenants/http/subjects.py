"""Rows that speak of records: by which columns, and whose rights decide who sees them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tenants.access.ownership import owned_models


@dataclass(frozen=True)
class Attached:
    """Two columns, the name of a resource and an id: rows are seen by whoever sees the record that they speak of.

    `models` gives the model behind each resource that they can speak of. `away` is for rows that stand for records
    which are not there: owner and team of the record are in the row itself.
    """

    resource: str
    record: str
    models: Callable[[], Mapping[str, Any]] = owned_models
    away: bool = False


@dataclass(frozen=True)
class Told:
    """Two columns, the name of a resource and an id: rows tell what happened to records, also to those that are gone.

    `governed` gives the resource whose right to read decides for each name that rows may have. Whoever reads all of
    it sees all that is told; whoever reads some of it, what is told of the records that are there and within reach.
    Of what it doesn't name, whoever may read the rows at all sees everything.
    """

    resource: str
    record: str
    governed: Callable[[], Mapping[str, str]]
