"""The verbs of a feature over its records; each decides by the one rule of `reaching` who may."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, false, select
from sqlalchemy.orm import DeclarativeBase

from tenants.access.caller import Acting, Caller, acting
from tenants.access.permissions import ASSIGN, Permission, Reach
from tenants.access.reaching import decide, narrowed, standing_values
from tenants.custom_fields.models import Patch
from tenants.foundation.errors import Invalid, NotAllowed, NotFound, PreconditionFailed
from tenants.foundation.tables import Base, Owned
from tenants.isolation.door import db
from tenants.isolation.inserting import insert_record

R = TypeVar("R", bound=Base)


def seen(query: Select[Any], model: type[Base]) -> Select[Any]:
    """The query over this model, less what the caller may not read."""
    caller = acting().caller
    extent = caller.extent(f"{resource_of(model)}:read")
    if extent is None:
        return query.where(false())
    condition = narrowed(model, extent)
    return query if condition is None else query.where(condition).params(**standing_values(caller))


def find(model: type[R], record_id: UUID, *, lock: bool = False) -> R:
    """The record with this id, for the route at hand.

    Raises NotFound when it doesn't exist or the caller may not read it, NotAllowed when they may read it and not
    do this, PreconditionFailed when `If-Match` named another version of it. `lock` keeps others from changing it
    until the transaction ends.
    """
    now = acting()
    resource = resource_of(model)
    extent = now.caller.extent(f"{resource}:read")
    query = select(model).where(model.id == record_id)  # type: ignore[attr-defined]
    condition = narrowed(model, extent)
    if condition is not None:
        query = query.where(condition).params(**standing_values(now.caller))
    record = (
        db().scalars(query.with_for_update(of=model) if lock else query).one_or_none() if extent else None
    )
    if record is None:
        raise NotFound
    if now.permission and now.permission.resource == resource:
        _must_reach(record, now)
    if record_id == now.subject_id and now.expected_version not in (None, getattr(record, "version", None)):
        raise PreconditionFailed(
            "The record has changed since you read it. Read it again, then repeat your change."
        )
    return record


def must_reach(record: Base) -> None:
    """For a route that adds something to a record of another resource: its permission must reach that record too.

    Raises NotAllowed.
    """
    now = acting()
    if now.permission:
        _must(now.permission, record, now.caller)


def save(record: R, *, may: Permission | None = None) -> R:
    """Add a new record under the route's permission: owned by the caller unless it names an owner.

    `may` names the permission where a route adds records of other resources too. Raises NotAllowed when the caller
    lacks it or may not give the record to that owner, Invalid when it refers to something that isn't there for them.
    """
    now = acting()
    if may is not None:
        now.caller.must(may)
        now = replace(now, permission=may)
    _admit(record, now)
    db().add(record)
    db().flush()
    return record


def add(record: R) -> R:
    """As `save`, for a record that nothing more happens to in this transaction: one trip instead of several.

    It can be answered with, and neither changed nor asked for its relationships. What a constraint refuses is
    raised when the answer is rendered, or at the commit.
    """
    _admit(record, acting())
    insert_record(record)
    return record


def change(record: R, fields: Mapping[str, Any]) -> R:
    """Set these fields on a record that `find` gave.

    To give it to somebody else takes the right to assign, which has to reach the record as it was and as it will be:
    nobody gives away what others only shared with them. Raises as `save` does.
    """
    now = acting()
    given = any(name in fields and fields[name] != getattr(record, name) for name in ("owner_id", "team_id"))
    if given:
        _must(ASSIGN, record, now.caller)
    for name, value in fields.items():
        setattr(record, name, value.over(getattr(record, name)) if isinstance(value, Patch) else value)
    if given:
        _must(ASSIGN, record, now.caller)
    _check_references(record, now.caller, list(fields))
    db().flush()
    return record


def remove(record: Base) -> None:
    """Delete a record that `find` gave."""
    db().delete(record)
    db().flush()


def resource_of(model: type[DeclarativeBase]) -> str:
    """The resource whose permissions govern a table: its name, unless the model says another."""
    return str(getattr(model, "__resource__", model.__tablename__))


def _admit(record: Base, now: Acting) -> None:
    """Give a new record its owner, team and source, and see that the caller may have it like that."""
    if isinstance(record, Owned):
        if record.owner_id is None:
            record.owner_id = now.caller.user_id
        if record.team_id is None:
            record.team_id = now.caller.team_id
    if hasattr(record, "source") and record.source is None:
        record.source = now.record_source
    _must_reach(record, now)
    _check_references(record, now.caller, [each.key for each in type(record).__table__.columns])


def _must_reach(record: Base, now: Acting) -> None:
    if now.permission is None or now.permission.resource != resource_of(type(record)):
        return
    _must(now.permission, record, now.caller)


def _must(permission: Permission, record: Base, caller: Caller) -> None:
    if not decide(caller, permission.name, record).allowed:
        raise NotAllowed(f"'{permission.name}' does not reach this record for you.")


def _check_references(record: Base, caller: Caller, fields: list[str]) -> None:
    """What the caller can't reach can't be referred to. What doesn't exist is refused by the foreign key itself."""
    for name, model in _references(type(record)):
        if name not in fields or caller.reach(f"{resource_of(model)}:read") is Reach.ALL:
            continue
        if target := getattr(record, name):
            _must_see(model, target, caller, name)


@cache
def _references(model: type[Base]) -> tuple[tuple[str, type[Any]], ...]:
    """The columns of a model that refer to owned records, with the models they refer to."""
    owned = {
        each.local_table: each.class_ for each in model.registry.mappers if issubclass(each.class_, Owned)
    }
    columns = model.__table__.columns
    keys = ((each.key, key.column) for each in columns for key in each.foreign_keys)
    found = ((name, owned.get(column.table)) for name, column in keys if column.primary_key)
    return tuple((name, target) for name, target in found if target is not None)


def _must_see(model: Any, target: UUID, caller: Caller, name: str) -> None:
    extent = caller.extent(f"{resource_of(model)}:read")
    query = select(model.id).where(model.id == target)
    condition = narrowed(model, extent)
    if condition is not None:
        query = query.where(condition).params(**standing_values(caller))
    if extent is None or db().execute(query).first() is None:
        raise Invalid(errors={name: ["There is no such record."]})
