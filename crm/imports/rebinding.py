"""A sealed value is bound to one record: when its row turns out to change another one, it is sealed again for that."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, bindparam, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from crm.imports.batches import ROWS, Batch
from tenants.isolation.door import db
from tenants.isolation.sealing import opened_text, place_in, sealed_text

AT_ONCE = 1000


def rebind(batch: Batch, known: Any, key: ColumnElement[Any]) -> None:
    """Before rows are given to the records that `known` found by `key`: seal their sealed fields for those."""
    for place in batch.plan.sealed:
        value = batch.text(place)
        query = sa.select(
            ROWS.c.number, ROWS.c.record_id.label("made"), known.c.id.label("found"), value.label("sealed")
        )
        query = query.join(known, known.c.name == key).where(
            batch.rows(), known.c.count == 1, value.is_not(None)
        )
        rows = db().execute(query, execution_options={"yield_per": AT_ONCE})
        for part in rows.partitions():
            _write(batch, place, [{"at": row.number, "sealed": _moved(batch, place, row)} for row in part])


def _moved(batch: Batch, place: int, row: Any) -> str:
    table, column = str(batch.table.name), batch.plan.columns[place].target.column
    text = opened_text(bytes.fromhex(row.sealed), place_in(table, column, row.made))
    return sealed_text(text or "", place_in(table, column, row.found)).hex()


def _write(batch: Batch, place: int, changes: list[dict[str, Any]]) -> None:
    path = sa.cast([str(place)], ARRAY(sa.Text))
    value = func.to_jsonb(sa.cast(bindparam("sealed"), sa.Text), type_=JSONB)
    statement = sa.update(ROWS).where(ROWS.c.import_id == batch.import_id, ROWS.c.number == bindparam("at"))
    db().connection().execute(statement.values(fields=func.jsonb_set(ROWS.c.fields, path, value)), changes)
