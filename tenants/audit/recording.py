"""Writes an audit event for every change of an audited record, in the transaction of the change."""

import secrets
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, bindparam, event, func, insert, inspect, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import BYTEA, JSONB, UUID as PgUuid
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from tenants.access.caller import acting
from tenants.access.policy import resource_of
from tenants.audit.models import AuditEvent, AuditValues
from tenants.foundation.clock import now
from tenants.foundation.identifiers import new_id
from tenants.foundation.tables import Base, DataClass
from tenants.isolation.door import TenantSession, db, here

UNRECORDED = frozenset({"id", "version", "created_at", "updated_at"})
SALT_BYTES = 16


def digest_of(salt: ColumnElement[bytes], values: ColumnElement[Any]) -> ColumnElement[bytes]:
    """SHA-256 over salt and the canonical text that PostgreSQL gives a jsonb; `verification` works it out again."""
    return func.sha256(salt.op("||")(func.convert_to(sql_cast(values, Text), "UTF8")))


def _insert_values() -> Any:
    salt = bindparam("salt", type_=BYTEA)
    return insert(AuditValues).values(event_id=bindparam("event_id", type_=PgUuid()), salt=salt, values=bindparam("personal", type_=JSONB))


def _insert_event() -> Any:
    digest = digest_of(bindparam("salt", type_=BYTEA), bindparam("personal", type_=JSONB))
    return insert(AuditEvent).values(digest=digest)


INSERT_VALUES = _insert_values()
INSERT_PERSONAL_EVENT = _insert_event()
INSERT_EVENT = insert(AuditEvent)


def record_event(
    action: str, resource: str, record_id: UUID | None, changes: Mapping[str, Any], personal: Mapping[str, Any] | None = None
) -> UUID:
    """Put one event on record. `changes` and `personal` map fields to [before, after], as JSON has them.

    Returns the event's id. Values of personal fields belong into `personal`: they can be erased later.
    """
    row = _event_row(action, resource, record_id)
    row["changes"] = changes
    row["personal_fields"] = sorted(personal or {})
    if not personal:
        db().connection().execute(INSERT_EVENT, row)
        return row["id"]  # type: ignore[no-any-return]
    salt = secrets.token_bytes(SALT_BYTES)
    db().connection().execute(INSERT_PERSONAL_EVENT, {**row, "salt": salt, "personal": personal})
    db().connection().execute(INSERT_VALUES, {"event_id": row["id"], "salt": salt, "personal": personal})
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


@event.listens_for(TenantSession, "before_flush")
def _note_changes(session: Session, _context: object, _instances: object) -> None:
    """What changed can be read before the flush; it is written after it, when the rows are there."""
    noted = here().notes.setdefault("audit", [])
    for record in session.new:
        if isinstance(record, Base) and record.__audited__:
            noted.append(("created", record, _values(record, fresh=True)))
    for record in session.dirty:
        if isinstance(record, Base) and record.__audited__ and (changed := _values(record, fresh=False)):
            noted.append(("changed", record, changed))
    for record in session.deleted:
        if isinstance(record, Base) and record.__audited__:
            noted.append(("deleted", record, {name: [before, None] for name, (_, before) in _values(record, fresh=True).items()}))


@event.listens_for(TenantSession, "after_flush")
def _record_changes(_session: Session, _context: object) -> None:
    for verb, record, changed in here().notes.pop("audit", []):
        plain, personal = split(type(record), changed)
        resource = resource_of(type(record))
        record_event(f"{resource}.{verb}", resource, record.id, plain, personal)


def _values(record: Base, *, fresh: bool) -> dict[str, list[Any]]:
    state = inspect(record)
    changed: dict[str, list[Any]] = {}
    for attribute in state.mapper.column_attrs:
        name = attribute.key
        if name in UNRECORDED:
            continue
        if fresh:
            value = getattr(record, name)
            if value is not None:
                changed[name] = [None, value]
        elif (history := state.attrs[name].history).has_changes():
            changed[name] = [history.deleted[0] if history.deleted else None, history.added[0] if history.added else None]
    return changed


def split(model: type[Base], changed: Mapping[str, list[Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Changes that may be read for ever, and those of personal fields, both as JSON has them.

    Of sealed fields and credentials only the fact is kept that they changed.
    """
    columns = inspect(model).columns
    plain: dict[str, Any] = {}
    personal: dict[str, Any] = {}
    for name, pair in changed.items():
        kind: DataClass = columns[name].info["data"]
        if columns[name].info.get("sealed") or kind is DataClass.CREDENTIAL:
            plain[name] = "changed"
        else:
            (personal if kind.personal else plain)[name] = [as_json(value) for value in pair]
    return plain, personal


def as_json(value: Any) -> Any:
    """A column's value as the audit writes it."""
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, datetime | date):
        return orjson.loads(orjson.dumps(value))
    return value
