"""Staged rows hold sealed cells inside of JSON: they say so, and are sealed anew when the tenant's key is rotated."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy import ColumnElement, func
from sqlalchemy.dialects.postgresql import JSONB

from crm.imports.batches import ROWS
from crm.imports.models import Import
from crm.imports.own_fields import importable_then
from crm.imports.plan import Plan
from crm.imports.staging import cell_place
from tenants.foundation.encryption import SEALED_VALUE, Context, header_of, key_version, seal, unseal
from tenants.isolation.door import db, here
from tenants.isolation.sealing import keys, place_in

AT_ONCE = 500


def reseal_staged(version: int) -> int:
    """Seal the cells of some rows with this version of the tenant's key; how many rows, 0 when none is left."""
    for record, plan in _imports():
        query = sa.select(ROWS.c.number, ROWS.c.record_id, ROWS.c.cells, ROWS.c.fields)
        rows = db().execute(query.where(_stale(record.id, plan, version)).limit(AT_ONCE)).all()
        if rows:
            db().connection().execute(_CHANGE, [_anew(record.id, plan, row, version) for row in rows])
            return len(rows)
    return 0


def staged_left(version: int) -> int:
    """How many staged rows hold something sealed with another version than this."""
    return sum(
        db().scalar(sa.select(func.count()).select_from(ROWS).where(_stale(record.id, plan, version))) or 0
        for record, plan in _imports()
    )


_CHANGE = (
    sa.update(ROWS)
    .where(ROWS.c.import_id == sa.bindparam("of"), ROWS.c.number == sa.bindparam("at"))
    .values(cells=sa.bindparam("as_cells"), fields=sa.bindparam("as_fields", type_=JSONB))
)


def _imports() -> Iterator[tuple[Import, Plan]]:
    staged = sa.exists().where(ROWS.c.import_id == Import.id)
    for record in db().scalars(sa.select(Import).where(staged).order_by(Import.id)).all():
        plan = Plan.of(record, importable_then(record.resource, record.mapping))
        if plan.sealed:
            yield record, plan


def _stale(import_id: UUID, plan: Plan, version: int) -> ColumnElement[bool]:
    header = header_of(SEALED_VALUE, version).hex()
    cells = sa.cast(ROWS.c.cells, JSONB)
    texts = [ROWS.c.fields[place].astext for place in plan.sealed]
    texts += [cells[plan.columns[place].index].astext for place in plan.sealed]
    other = [func.coalesce(func.left(text, len(header)) != header, sa.false()) for text in texts]
    return sa.and_(ROWS.c.import_id == import_id, sa.or_(*other))


def _anew(import_id: UUID, plan: Plan, row: Any, version: int) -> dict[str, Any]:
    """The row with every sealed value under this version. A cell that went to two fields is sealed twice."""
    cells, fields = orjson.loads(row.cells), list(row.fields)
    here_in_file = cell_place(here().home.id, str(import_id), row.number)
    indexes = [plan.columns[place].index for place in plan.sealed]
    for index in sorted({each for each in indexes if each < len(cells)}):
        cells[index] = _again(cells[index], here_in_file, version, indexes.count(index))
    for place in plan.sealed:
        if place < len(fields) and fields[place] is not None:
            column = plan.columns[place].target.column
            where = place_in(str(plan.importable.model.__tablename__), column, row.record_id)
            fields[place] = _again(fields[place], where, version, 1)
    return {"of": import_id, "at": row.number, "as_cells": orjson.dumps(cells).decode(), "as_fields": fields}


def _again(sealed: str, place: Context, version: int, layers: int) -> str:
    ring, text = keys(), sealed
    for _ in range(layers):
        layer = bytes.fromhex(text)
        text = unseal(ring.version(place.tenant_id, key_version(layer)), layer, place).decode()
    for _ in range(layers):
        text = seal(ring.version(place.tenant_id, version), text.encode(), place).hex()
    return text
