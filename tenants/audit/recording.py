"""Writes an audit event for every change of an audited record, in the transaction of the change."""

import secrets
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Uuid, bindparam, event, func, insert, inspect, literal_column
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import BYTEA, JSONB
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from tenants.access.caller import acting
from tenants.access.policy import resource_of
from tenants.audit.models import AuditEvent, AuditValues
from tenants.custom_fields.definitions import definitions
from tenants.custom_fields.models import COLUMN, PREFIX
from tenants.foundation.clock import now
from tenants.foundation.identifiers import new_id
from tenants.foundation.tables import Base, DataClass
from tenants.isolation.dialect import compiled
from tenants.isolation.door import TenantSession, here
from tenants.isolation.inserting import observe_inserts

UNRECORDED = frozenset({"id", "version", "created_at", "updated_at"})
SALT_BYTES = 16


def digest_of(salt: ColumnElement[bytes], values: ColumnElement[Any]) -> ColumnElement[bytes]:
    """SHA-256 over salt and the canonical text that PostgreSQL gives a jsonb; `verification` works it out again."""
    return func.sha256(salt.op("||")(func.convert_to(sql_cast(values, Text), literal_column("'UTF8'"))))


def _parameters(model: type[Base], *apart: str) -> dict[str, Any]:
    columns = model.__table__.columns
    return {each.name: bindparam(each.name, type_=each.type) for each in columns if each.name not in apart}


def _event_with_values() -> Any:
    """Event and personal values in one statement, so that they are one trip."""
    salt, values = bindparam("salt", type_=BYTEA), bindparam("values", type_=JSONB)
    kept = (
        insert(AuditValues)
        .values(event_id=bindparam("id", type_=Uuid()), salt=salt, values=values)
        .cte("kept")
    )
    event_row = _parameters(AuditEvent, "digest") | {"digest": digest_of(salt, values)}
    return insert(AuditEvent).values(event_row).add_cte(kept)


def _as_text(statement: Any) -> str:
    return compiled(statement).string


INSERT_EVENT = _as_text(insert(AuditEvent).values(_parameters(AuditEvent)))
INSERT_EVENT_WITH_VALUES = _as_text(_event_with_values())


def record_event(
    action: str,
    resource: str,
    record_id: UUID | None,
    changes: Mapping[str, Any],
    personal: Mapping[str, Any] | None = None,
) -> UUID:
    """Put one event on record. `changes` and `personal` map fields to [before, after], as JSON has them.

    Returns the event's id. Values of personal fields belong into `personal`: they can be erased later. The event is
    written before the transaction's commit at the latest.
    """
    row = _event_row(action, resource, record_id)
    row["changes"] = orjson.dumps(changes).decode()
    row["personal_fields"] = sorted(personal or {})
    if personal:
        kept = {"salt": secrets.token_bytes(SALT_BYTES), "values": orjson.dumps(personal).decode()}
        here().send_along(INSERT_EVENT_WITH_VALUES, {**row, **kept})
    else:
        here().send_along(INSERT_EVENT, {**row, "digest": None})
    return row["id"]  # type: ignore[no-any-return]


def _event_row(action: str, resource: str, record_id: UUID | None) -> dict[str, Any]:
    at_work = acting()
    return {
        "id": new_id(),
        "at": now(),
        "action": action,
        "resource": resource,
        "record_id": record_id,
        "actor_kind": at_work.caller.kind,
        "actor_id": at_work.caller.user_id,
        "credential_id": at_work.caller.credential_id,
        "request_id": at_work.request_id,
        "address": at_work.address,
    }


def record_changes() -> None:
    """Say once, at start-up, that changes of audited records are put on record."""
    for moment, listener in (("before_flush", _note_changes), ("after_flush", _record_changes)):
        if not event.contains(TenantSession, moment, listener):
            event.listen(TenantSession, moment, listener)
    observe_inserts(_record_insert)


def _record_insert(record: Base) -> None:
    if record.__audited__:
        _record("created", record, _given(record))


def _note_changes(session: Session, _context: object, _instances: object) -> None:
    """What changed can be read before the flush; it is written after it, when the rows are there."""
    noted = here().notes.setdefault("audit", [])
    for record in session.new:
        if isinstance(record, Base) and record.__audited__:
            noted.append(("created", record, _given(record)))
    for record in session.dirty:
        if isinstance(record, Base) and record.__audited__ and (changed := _changed(record)):
            noted.append(("changed", record, changed))
    for record in session.deleted:
        if isinstance(record, Base) and record.__audited__:
            noted.append(("deleted", record, _lost(record)))


def _record_changes(_session: Session, _context: object) -> None:
    for verb, record, changed in here().notes.pop("audit", []):
        _record(verb, record, changed)


def _record(verb: str, record: Any, changed: Mapping[str, list[Any]]) -> None:
    plain, personal = split(type(record), changed)
    resource = resource_of(type(record))
    record_event(f"{resource}.{verb}", resource, record.id, plain, personal)


@cache
def _kinds(model: type[Base]) -> Mapping[str, DataClass | None]:
    """The attributes that are put on record, with the kind of their data; None where only the fact is kept."""
    mapper = inspect(model)
    every = {each.key: mapper.columns[each.key] for each in mapper.column_attrs}
    # What the database works out of other columns says nothing new, and would have to be fetched for it.
    given = {name: each.info for name, each in every.items() if each.computed is None}
    return {
        name: None if info.get("sealed") or info["data"] is DataClass.CREDENTIAL else info["data"]
        for name, info in given.items()
        if name not in UNRECORDED
    }


def _given(record: Base) -> dict[str, list[Any]]:
    """What a new record was given. It is no row yet: what was not set is not there."""
    given = vars(record)
    return _apart({name: [None, given[name]] for name in _kinds(type(record)) if given.get(name) is not None})


def _lost(record: Base) -> dict[str, list[Any]]:
    values = ((name, getattr(record, name)) for name in _kinds(type(record)))
    return _apart({name: [value, None] for name, value in values if value is not None})


def _changed(record: Base) -> dict[str, list[Any]]:
    state = inspect(record)
    histories = ((name, state.attrs[name].history) for name in _kinds(type(record)))
    return _apart(
        {
            name: [each.deleted[0] if each.deleted else None, each.added[0] if each.added else None]
            for name, each in histories
            if each.has_changes()
        }
    )


def _apart(changed: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Each of the tenant's own fields by itself, as `custom.name`."""
    before, after = changed.pop(COLUMN, None) or (None, None)
    for name in sorted({*(before or ()), *(after or ())}):
        pair = [(each or {}).get(name) for each in (before, after)]
        if pair[0] != pair[1]:
            changed[PREFIX + name] = pair
    return changed


def split(model: type[Base], changed: Mapping[str, list[Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Changes that may be read for ever, and those of personal fields, both as JSON has them.

    Of sealed fields and credentials only the fact is kept that they changed.
    """
    kinds = _kinds(model)
    plain: dict[str, Any] = {}
    personal: dict[str, Any] = {}
    for name, pair in changed.items():
        if name.startswith(PREFIX):
            (personal if is_personal(model, name) else plain)[name] = pair
            continue
        kind = kinds[name]
        if kind is None:
            plain[name] = "changed"
        else:
            (personal if kind.personal else plain)[name] = [as_json(value) for value in pair]
    return plain, personal


def is_personal(model: type[Base], name: str) -> bool:
    """Whether one of the tenant's own fields tells of people: unless its definition says that it doesn't."""
    each = definitions().of(resource_of(model)).get(name.removeprefix(PREFIX))
    return each is None or each.personal


def as_json(value: Any) -> Any:
    """A column's value as the audit writes it."""
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, datetime | date):
        return orjson.dumps(value).decode().strip('"')
    return value
