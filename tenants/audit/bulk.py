"""Audit events of a set-based change, written by the database in one statement: the audited form of bulk changes.

An event is what `recording` would have written for each record: the same fields, the same digest.
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, FromClause, func, literal_column
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, array

from tenants.access.caller import acting
from tenants.access.policy import resource_of
from tenants.audit.models import AuditEvent, AuditValues
from tenants.audit.recording import UNRECORDED, digest_of, is_personal
from tenants.custom_fields.definitions import definitions
from tenants.custom_fields.models import COLUMN, PREFIX
from tenants.foundation.clock import now
from tenants.foundation.tables import Base, DataClass
from tenants.isolation.door import db

Pair = tuple[ColumnElement[Any] | None, ColumnElement[Any]]
# A UUIDv7 (RFC 9562) made of the clock and a random one: PostgreSQL has a function of its own from version 18 on.
FRESH_ID = literal_column(
    "encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) placing substring(int8send("
    "floor(extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6), 52, 1), 53, 1), 'hex')::uuid",
    sa.Uuid(),
)
FRESH_SALT = func.uuid_send(func.gen_random_uuid(), type_=sa.LargeBinary())


def record_created(model: type[Base], chosen: FromClause) -> None:
    """Put on record that the rows of `model` whose ids are `chosen.c.record_id` are new, as they are now."""
    table: Any = model.__table__
    given = (each for each in table.columns if each.computed is None and each.name != COLUMN)
    pairs: dict[str, Pair] = {each.name: (None, each) for each in given}
    if COLUMN in table.c:
        own = definitions().of(resource_of(model))
        pairs |= {PREFIX + name: (None, table.c[COLUMN][name]) for name in own}
    _record("created", model, table.c.id, pairs, table.join(chosen, table.c.id == chosen.c.record_id))


def record_changed(model: type[Base], changes: Mapping[str, Pair], source: FromClause) -> None:
    """Put on record, before it happens, that columns of `model` will change from one value to another.

    `source` is a join that has the model's table and whatever the pairs speak of. A pair of equal values is left out.
    The tenant's own fields are pairs by themselves, of jsonb and called `custom.name`.
    """
    table: Any = model.__table__
    _record("changed", model, table.c.id, changes, source)


def _record(
    verb: str, model: type[Base], record_id: Any, pairs: Mapping[str, Pair], source: FromClause
) -> None:
    columns = _columns(model, pairs)
    recorded = {name: pair for name, pair in pairs.items() if name not in UNRECORDED}
    personal = {name: pair for name, pair in recorded.items() if _is_personal(columns[name])}
    plain = {name: pair for name, pair in recorded.items() if name not in personal}
    fresh = (
        sa.select(
            FRESH_ID.label("id"),
            FRESH_SALT.label("salt"),
            record_id.label("record_id"),
            _changes(plain, columns).label("plain"),
            _changes(personal, columns).label("personal"),
            _names(personal).label("names"),
        )
        .select_from(source)
        .cte("fresh")
        .prefix_with("materialized", dialect="postgresql")
    )
    events = _insert(AuditEvent, _event(fresh, f"{resource_of(model)}.{verb}", resource_of(model)), fresh)
    kept = {"event_id": fresh.c.id, "salt": fresh.c.salt, "values": fresh.c.personal}
    values = _insert(AuditValues, kept, fresh, fresh.c.personal != _empty())
    db().execute(values.add_cte(events.cte("events")))


def _columns(model: type[Base], pairs: Mapping[str, Pair]) -> Mapping[str, Any]:
    """What the pairs are of; a field of the tenant's own stands there as the column that it is not."""
    found: dict[str, Any] = {}
    for name in pairs:
        if name.startswith(PREFIX):
            data = DataClass.FREE_TEXT if is_personal(model, name) else DataClass.BUSINESS
            found[name] = sa.Column(name, JSONB, info={"data": data})
        else:
            found[name] = model.__table__.c[name]
    return found


def _event(fresh: Any, action: str, resource: str) -> dict[str, ColumnElement[Any]]:
    at_work = acting()
    some = fresh.c.personal != _empty()
    constants = {
        "at": now(), "action": action, "resource": resource, "actor_kind": at_work.caller.kind,
        "actor_id": at_work.caller.user_id, "credential_id": at_work.caller.credential_id,
        "request_id": at_work.request_id, "address": at_work.address,
    }  # fmt: skip
    columns = AuditEvent.__table__.c
    return {
        "id": fresh.c.id,
        "record_id": fresh.c.record_id,
        "changes": fresh.c.plain,
        "personal_fields": fresh.c.names,
        "digest": sa.case((some, digest_of(fresh.c.salt, fresh.c.personal))),
        **{
            name: sa.cast(sa.literal(value, columns[name].type), columns[name].type)
            for name, value in constants.items()
        },
    }


def _insert(model: type[Base], values: Mapping[str, Any], source: Any, *conditions: Any) -> Any:
    query = sa.select(*values.values()).select_from(source).where(*conditions)
    return sa.insert(model.__table__).from_select(list(values), query, include_defaults=False)  # type: ignore[arg-type]


def _changes(pairs: Mapping[str, Pair], columns: Any) -> ColumnElement[Any]:
    """`{field: [before, after]}` of the fields whose values differ.

    It is put together as text and read once: building it from parts of JSON takes several times as long.
    """
    parts = [_member(name, pair, columns[name]) for name, pair in pairs.items()]
    if not parts:
        return _empty()
    return sa.cast(_text("{") + func.concat_ws(_text(","), *parts) + _text("}"), JSONB)


def _member(name: str, pair: Pair, column: Any) -> ColumnElement[Any]:
    """One member of the object, or null, which `concat_ws` leaves out."""
    before, after = pair
    if _secret(column):
        return sa.case((_differs(pair), _text(f'"{name}":"changed"')))
    start = _name(f'"{name}":[', name)
    if before is None:
        return start + _text("null,") + _json(after) + _text("]")
    both = [func.coalesce(_json(each), _text("null")) for each in (before, after)]
    return sa.case((_differs(pair), start + both[0] + _text(",") + both[1] + _text("]")))


def _json(value: ColumnElement[Any]) -> ColumnElement[str]:
    """A value as JSON writes it. Decimals are text, as everywhere; PostgreSQL writes the rest as `recording` does."""
    is_decimal = isinstance(value.type, sa.Numeric) and not isinstance(value.type, sa.Integer)
    return sa.cast(func.to_json(sa.cast(value, sa.Text) if is_decimal else value), sa.Text)


def _text(text: str) -> ColumnElement[str]:
    """A constant of ours; names of columns hold no quotes."""
    return literal_column(f"'{text}'::text", sa.Text)


def _name(text: str, name: str) -> ColumnElement[str]:
    """A text that has a name in it: those that tenants gave are values, never SQL."""
    return sa.cast(sa.literal(text, sa.Text), sa.Text) if name.startswith(PREFIX) else _text(text)


def _differs(pair: Pair) -> ColumnElement[bool]:
    before, after = pair
    return after.is_not(None) if before is None else before.is_distinct_from(after)


def _is_personal(column: Any) -> bool:
    return bool(column.info["data"].personal) and not _secret(column)


def _secret(column: Any) -> bool:
    return bool(column.info.get("sealed")) or column.info["data"] is DataClass.CREDENTIAL


def _names(pairs: Mapping[str, Pair]) -> ColumnElement[Any]:
    """The names of the fields whose values differ, sorted as `recording` sorts them."""
    named = [sa.case((_differs(pair), _name(name, name))) for name, pair in sorted(pairs.items())]
    return func.array_remove(sa.cast(array(named), ARRAY(sa.Text)), sa.null(), type_=ARRAY(sa.Text))


def _empty() -> ColumnElement[Any]:
    return sa.cast(literal_column("'{}'"), JSONB)
