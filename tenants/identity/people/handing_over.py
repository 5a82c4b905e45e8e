"""Everything that a user owns becomes somebody else's, in sets, each change on record."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import ARRAY

from tenants.access.policy import resource_of
from tenants.audit.bulk import record_changed
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict
from tenants.foundation.tables import Base, Owned, Purpose, Record
from tenants.identity.models import User
from tenants.isolation.door import db

AT_ONCE = 2000
#: What the business goes on with. Keys and apps act as who made them, and an export was asked for by its maker.
BUSINESS = (Purpose.SALES, Purpose.INVOICING)


def owned_records() -> list[Any]:
    """The models of the business's records that have an owner, in order of their tables."""
    models: list[Any] = [each.class_ for each in Base.registry.mappers]
    owned = [each for each in models if each.__purpose__ in BUSINESS and issubclass(each, Owned)]
    return sorted(
        (each for each in owned if issubclass(each, Record)), key=lambda each: str(each.__tablename__)
    )


def count_owned(user_id: UUID) -> int:
    """How many records a user owns."""
    counts = [
        select(func.count()).select_from(each).where(each.owner_id == user_id).scalar_subquery()
        for each in owned_records()
    ]
    return int(db().scalar(select(sum(counts[1:], counts[0]))) or 0)


def hand_over_some(model: Any, user_id: UUID, heir_id: UUID) -> int:
    """Give the heir up to AT_ONCE records of a model; how many there were. Raises Conflict when the heir has gone.

    A record stays with its team.
    """
    heir = db().get(User, heir_id, with_for_update={"key_share": True, "read": True})
    if heir is None or heir.state != "active":
        raise Conflict("Whoever should get the records is no longer active.", code="heir_gone")
    table = model.__table__
    mine = select(table.c.id).where(table.c.owner_id == user_id).order_by(table.c.id)
    ids = list(db().scalars(mine.limit(AT_ONCE).with_for_update()))
    if ids:
        _give(model, ids, heir_id)
    return len(ids)


def name_of(model: Any) -> str:
    """What a model's records are called."""
    return resource_of(model)


def _give(model: Any, ids: list[UUID], heir_id: UUID) -> None:
    table = model.__table__
    these = table.c.id == func.any(sa.literal(ids, ARRAY(sa.Uuid())))
    chosen = select(table.c.id.label("record_id")).where(these).subquery()
    to = sa.cast(sa.literal(heir_id, sa.Uuid()), sa.Uuid())
    if model.__audited__:
        source = table.join(chosen, chosen.c.record_id == table.c.id)
        record_changed(model, {"owner_id": (table.c.owner_id, to)}, source)
    changed = sa.update(table).where(these)
    db().execute(changed.values(owner_id=heir_id, updated_at=now(), version=table.c.version + 1))
