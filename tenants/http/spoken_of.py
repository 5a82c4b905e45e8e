"""Rows that speak of records of other resources (files, shares, events): the record decides who sees them."""

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, and_, func, literal_column, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from tenants.access.caller import Extent
from tenants.access.ownership import owned_models
from tenants.access.policy import resource_of
from tenants.access.reaching import narrowed
from tenants.foundation.tables import Base
from tenants.http.representation import resources_of
from tenants.http.subjects import Attached, Told

Extents = Mapping[str, Extent | None]


def attached_and_seen(attached: Attached, extents: Extents, table: Any) -> ColumnElement[bool]:
    """The rows whose record is there and within reach."""
    ways = []
    for name, model in sorted(attached.models().items()):
        extent = extents.get(name)
        if extent is None:
            continue
        named = table.c[attached.resource] == literal_column(f"'{name}'")
        other = model.__table__.alias(f"{name}_spoken_of") if not attached.away else table
        seen = narrowed(other, extent)
        conditions = [] if seen is None else [seen]
        if not attached.away:
            conditions = [sa.exists().where(other.c.id == table.c[attached.record], *conditions)]
        ways.append(and_(named, *conditions))
    return or_(sa.false(), *ways)


def told_to(told: Told, extents: Extents, table: Any) -> ColumnElement[bool] | None:
    """The rows whose resource is read as a whole, and of others those about records within reach; None for all."""
    partly = {
        name: conditions
        for name, governing in sorted(told.governed().items())
        if (conditions := _within_reach(name, extents.get(governing), extents, table.c[told.record]))
        is not None
    }
    if not partly:
        return None
    resource = table.c[told.resource]
    names = sa.cast(sa.literal(list(partly), ARRAY(sa.Text)), ARRAY(sa.Text))
    seen = (
        and_(resource == literal_column(f"'{name}'"), or_(*conditions))
        for name, conditions in partly.items()
        if conditions
    )
    return or_(resource != func.all(names), *seen)


def _within_reach(
    name: str, extent: Extent | None, extents: Extents, record: Any
) -> list[ColumnElement[bool]] | None:
    """The ways in which a record of this resource is within reach; None when all of them are, none for none."""
    if extent is None:
        return []
    model = owned_models().get(name)
    if model is not None:
        other = model.__table__.alias(f"{name}_told_of")
        seen = narrowed(other, extent)
        return (
            None
            if seen is None
            else [_there(other, other.c.id == record, seen), *_parts(model, record, other, seen)]
        )
    for each in resources_of(name):
        if each.attached is not None and not each.attached.away:
            if all(_whole(other, extents.get(its)) for its, other in each.attached.models().items()):
                return None
            other = each.mapper.local_table.alias(f"{name}_told_of")
            return [_there(other, other.c.id == record, attached_and_seen(each.attached, extents, other))]
    return None


def _whole(model: Any, extent: Extent | None) -> bool:
    return extent is not None and narrowed(model.__table__, extent) is None


def _parts(model: Any, record: Any, other: Any, seen: ColumnElement[bool]) -> Iterator[ColumnElement[bool]]:
    """What belongs to a record and is put on record by an id of its own, as the reversal of a payment is."""
    for mapper in sorted(Base.registry.mappers, key=lambda each: each.class_.__name__):
        part = mapper.class_
        if part is model or not part.__audited__ or resource_of(part) != resource_of(model):
            continue
        mine: Any = part.__table__.alias(f"{part.__tablename__}_told_of")
        for key in part.__table__.foreign_keys:
            if key.column is model.__table__.c.id:
                yield _there(
                    mine.join(other, mine.c[key.parent.name] == other.c.id), mine.c.id == record, seen
                )


def _there(source: Any, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """PostgreSQL looks records up one by one, or all that are within reach at once when those are few."""
    return select(literal_column("1")).select_from(source).where(*conditions).exists()
