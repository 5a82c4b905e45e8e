"""How an audit event looks in JSON."""

from collections.abc import Iterable, Mapping
from typing import Any

import marshmallow
from marshmallow import fields
from sqlalchemy import ColumnElement, Text, case, cast, func, literal, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from tenants.access.permissions import registered
from tenants.access.policy import resource_of
from tenants.audit.models import AuditEvent
from tenants.custom_fields.models import COLUMN
from tenants.foundation.tables import Base
from tenants.http.representation import Resource, Timestamp
from tenants.http.subjects import Told


class AuditValuesSchema(marshmallow.Schema):
    """The personal values of an event, [before, after] by field; absent once they were erased."""

    values = fields.Dict(keys=fields.String(), values=fields.Raw())


class AuditEventSchema(marshmallow.Schema):
    """Who did what to which record, when and from where."""

    id = fields.UUID(required=True)
    at = Timestamp(required=True)
    action = fields.String(required=True)
    resource = fields.String(required=True)
    record_id = fields.UUID(allow_none=True)
    actor_kind = fields.String()
    actor_id = fields.UUID(allow_none=True)
    credential_id = fields.UUID(allow_none=True)
    request_id = fields.String()
    address = fields.String(allow_none=True)
    changes = fields.Dict(keys=fields.String(), values=fields.Raw())
    personal_fields = fields.List(fields.String())
    personal = fields.Nested(AuditValuesSchema, allow_none=True)


def without_closed(
    shown: ColumnElement[Any], table: Any, closed: Mapping[str, frozenset[str]]
) -> ColumnElement[Any]:
    """Changes of an event, less those of fields that are closed to the caller."""
    return _by_resource(table, shown, {name: _less(shown, each) for name, each in closed.items()})


def _less(shown: ColumnElement[Any], columns: frozenset[str]) -> ColumnElement[Any]:
    less = shown.op("-")(_texts(columns))
    if COLUMN not in columns:
        return less
    # All of the tenant's own fields are closed, and each is on record by a name of its own.
    pair = func.jsonb_each(less).table_valued("key", "value", name="pair")
    kept = select(func.jsonb_object_agg(pair.c.key, pair.c.value)).where(_is_ours(pair.c.key))
    return func.coalesce(kept.scalar_subquery(), cast(literal_column("'{}'"), JSONB))


def _is_ours(name: ColumnElement[str]) -> ColumnElement[bool]:
    return func.split_part(name, literal_column("'.'"), literal_column("1")) != literal(COLUMN)


def _names_without_closed(
    shown: ColumnElement[Any], table: Any, closed: Mapping[str, frozenset[str]]
) -> ColumnElement[Any]:
    name = func.unnest(shown).column_valued("name")
    some = {
        each: func.array(select(name).where(*_open(name, columns)).scalar_subquery())
        for each, columns in closed.items()
    }
    return _by_resource(table, shown, some)


def _open(name: ColumnElement[str], columns: frozenset[str]) -> list[ColumnElement[bool]]:
    return [name != func.all(_texts(columns)), *([_is_ours(name)] if COLUMN in columns else [])]


def _by_resource(
    table: Any, shown: ColumnElement[Any], less: Mapping[str, ColumnElement[Any]]
) -> ColumnElement[Any]:
    cases = [(table.c.resource == literal(name), each) for name, each in sorted(less.items())]
    return case(*cases, else_=shown)


def _texts(words: Iterable[str]) -> ColumnElement[Any]:
    return cast(literal(sorted(words), ARRAY(Text)), ARRAY(Text))


def governed() -> dict[str, str]:
    """The resources of events that a right to read decides about: their own, or the one their model names."""
    own = {each.resource: each.resource for each in registered().values() if each.name == each.reading}
    models = (mapper.class_ for mapper in Base.registry.mappers)
    return own | {resource_of(each): each.__governed_by__ for each in models if each.__governed_by__}


AUDIT_EVENTS = Resource(
    "audit-events",
    AuditEvent,
    AuditEventSchema(),
    sort="-at",
    told=Told("resource", "record_id", governed),
    covers={
        "changes": without_closed,
        "personal.values": without_closed,
        "personal_fields": _names_without_closed,
    },
)
