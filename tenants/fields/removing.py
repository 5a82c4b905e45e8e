"""A field goes for good: its values first, some records a transaction, then its definition."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from tenants.access.removal import must_be_removable
from tenants.audit.bulk import record_changed
from tenants.custom_fields.definitions import TURN, customised, definitions_changed
from tenants.custom_fields.models import COLUMN, PREFIX, CustomField
from tenants.fields.defining import must_be_deletable
from tenants.foundation.clock import now
from tenants.isolation.door import db
from tenants.isolation.turns import one_at_a_time
from tenants.jobs.progress import conclude, progress, step

AT_ONCE = 1_000


def remove_field(field_id: UUID) -> None:
    """Killed and run again, it goes on with what is left.

    Raises Conflict when the field was brought back meanwhile, and when a record with a value of it has to be kept.
    """
    done = 0
    while True:
        with step():
            field = db().get(CustomField, field_id)
            removed = _take_values(field) if field is not None else 0
            if not removed:
                _conclude(field, done)
                return
        done += removed
        progress(done=done)


def _conclude(field: CustomField | None, done: int) -> None:
    if field is not None:
        db().delete(field)
        db().flush()
        definitions_changed()
    conclude({"values": done})


def _take_values(field: CustomField) -> int:
    """Take the values of some records; how many that were. Who writes values meanwhile is waited for."""
    one_at_a_time(TURN)
    must_be_deletable(field)
    model = customised().get(field.resource)
    if model is None:  # it came in a bundle of another version, and nothing here has such values
        return 0
    table: Any = model.__table__
    having = sa.select(table.c.id).where(table.c[COLUMN].has_key(field.name)).order_by(table.c.id)
    ids = list(db().scalars(having.limit(AT_ONCE).with_for_update()))
    if ids:
        must_be_removable(field.resource, ids)
        _take(model, field.name, ids)
    return len(ids)


def _take(model: Any, name: str, ids: list[UUID]) -> None:
    table = model.__table__
    these = table.c.id == sa.func.any(sa.literal(ids, ARRAY(sa.Uuid())))
    chosen = sa.select(table.c.id.label("record_id")).where(these).subquery()
    nothing = sa.cast(sa.null(), JSONB)
    source = table.join(chosen, chosen.c.record_id == table.c.id)
    record_changed(model, {PREFIX + name: (table.c[COLUMN][name], nothing)}, source)
    less = table.c[COLUMN].op("-", return_type=JSONB())(sa.cast(name, sa.Text))
    values = {COLUMN: less, "version": table.c.version + 1, "updated_at": now()}
    db().execute(sa.update(table).where(these).values(values))
