"""Which rows a partial export holds: resources, and the filters that their lists take."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import RelationshipDirection
from werkzeug.datastructures import MultiDict

from tenants.access.caller import Caller
from tenants.foundation.errors import Invalid
from tenants.http.representation import Resource, always, nested_of, resources_of
from tenants.http.selection import Selection
from tenants.isolation.whole_tables import without_parameters
from tenants.portability.contents import BundleTable, tables

Said = Mapping[str, Any]


@dataclass(frozen=True)
class Portion:
    """Rows of one table: all of them, or those that meet a condition with its values.

    `said` is what was asked for, and nothing for the parts that come along with it.
    """

    table: BundleTable
    condition: ColumnElement[bool] | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    said: Said | None = None

    def ready(self) -> ColumnElement[bool] | None:
        """The condition as a bundle's statement can have it, in the transaction at hand."""
        if self.condition is None:
            return None
        return without_parameters(self.condition, self.values, self.table.name)


def portions(chosen: Sequence[Said], caller: Caller) -> list[Portion]:
    """The tables of these resources, each with the parts that its answers always show, an invoice's lines say.

    Filters are those of the resource's list. Reach and field rules change nothing: who exports sees everything.
    Raises Invalid that names a resource or filter which is unknown, or a resource that comes twice.
    """
    found: dict[str, Portion] = {}
    errors: dict[str, list[str]] = {}
    for number, said in enumerate(chosen):
        try:
            for each in _portions_of(said, caller):
                if found.setdefault(each.table.name, each) is not each:
                    errors[f"resources.{number}.resource"] = [f"'{said['resource']}' is in it already."]
        except Invalid as error:
            errors |= {f"resources.{number}.{name}": texts for name, texts in error.errors.items()}
    if errors:
        raise Invalid("Not all of these resources can be exported like this.", errors=errors)
    order = [each.name for each in tables()]
    return sorted(found.values(), key=lambda each: order.index(each.table.name))


def _portions_of(said: Said, caller: Caller) -> Iterator[Portion]:
    resource, table = _exported(said["resource"])
    narrowing = Selection(resource).narrowing(caller, MultiDict(said["filters"]))
    condition = and_(*narrowing.conditions) if narrowing.conditions else None
    yield Portion(table, condition, narrowing.values, {"table": table.name, **said})
    for part, key in _parts(resource.name):
        kept = select(table.table.c.id).where(*narrowing.conditions)
        yield Portion(part, part.table.c[key].in_(kept), narrowing.values)


def _exported(name: str) -> tuple[Resource, BundleTable]:
    for resource in resources_of(name):
        table = _travelling().get(str(resource.mapper.local_table.name))
        if table is not None:
            return resource, table
    raise Invalid(errors={"resource": [f"There is no resource '{name}' whose records leave with a bundle."]})


@cache
def _travelling() -> Mapping[str, BundleTable]:
    return {each.name: each for each in tables()}


def _parts(name: str) -> Iterator[tuple[BundleTable, str]]:
    """The tables of what a record is made of, and their columns that point at it."""
    shown = {
        key: resource.relationship(key)
        for resource in resources_of(name)
        for key, each in resource.schema.fields.items()
        if nested_of(each) and always(each)
    }
    for relation in shown.values():
        part = _travelling().get(str(relation.mapper.class_.__tablename__))
        if part is not None and relation.direction is RelationshipDirection.ONETOMANY:
            ((_, remote),) = relation.local_remote_pairs or ()
            yield part, str(remote.name)
