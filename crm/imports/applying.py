"""Makes and changes records from staged rows, many in one statement, each change on record in the audit."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
import sqlalchemy.exc
from sqlalchemy import ColumnElement, FromClause, func

from crm.imports.batches import ROWS, Batch, resolved
from crm.imports.models import Action
from crm.imports.own_fields import is_own, laid_over, own_among, together, value_of, value_there
from tenants.audit.bulk import Pair, record_changed, record_created
from tenants.custom_fields.models import COLUMN
from tenants.foundation.clock import now
from tenants.foundation.tables import Owned, Source
from tenants.identity.models import User
from tenants.isolation.door import db
from tenants.isolation.sealing import version_in_force
from tenants.isolation.violations import refusal_of


def apply(batch: Batch) -> None:
    """Do what the rows ask for. Where the database refuses, the rows are parted until the wrong one stands alone."""
    if batch.plan.sealed:  # sealed values are copied by statements that know no keys
        version_in_force()
    try:
        with db().begin_nested():
            _create(batch)
            _change(batch)
    except (sqlalchemy.exc.IntegrityError, sqlalchemy.exc.DataError) as error:
        if batch.low == batch.high:
            batch.reject(sa.select(ROWS.c.number).where(batch.rows()), _sentence(error))
            return
        for half in batch.halves():
            apply(half)


def _create(batch: Batch) -> None:
    new = resolved(batch, Action.CREATE)
    source, values = new_values(batch, new)
    query = (
        sa.select(*(each.label(name) for name, each in values.items()))
        .select_from(source)
        .order_by(new.c.row_number)
    )
    made = batch.run(sa.insert(batch.model).from_select(list(values), query))
    if not made.rowcount:
        return
    chosen = sa.select(ROWS.c.record_id).where(batch.rows(Action.CREATE)).subquery("chosen")
    record_created(batch.model, chosen)
    if follow := batch.plan.importable.follow:
        follow(batch)


def _change(batch: Batch) -> None:
    if batch.plan.match is None:
        return
    new, table = resolved(batch, Action.UPDATE), batch.table
    changes = changes_of(batch, new)
    record_changed(batch.model, changes, current(batch, new))
    values = {name: after for name, (_, after) in changes.items() if not is_own(name)}
    if own := {name: changes[name][1] for name in own_among(changes)}:
        values[COLUMN] = laid_over(table, own)
    statement = sa.update(batch.model).where(table.c.id == new.c.record_id)
    batch.run(statement.values({**values, "version": table.c.version + 1, "updated_at": now()}))


def current(batch: Batch, new: Any) -> FromClause:
    """Rows beside the records that they change."""
    return new.join(batch.table, batch.table.c.id == new.c.record_id)


def new_values(batch: Batch, new: Any) -> tuple[FromClause, dict[str, ColumnElement[Any]]]:
    """What the columns of new records will hold, and what to select it from."""
    table, moment, source = batch.table, now(), new
    given = [each.target.column for each in batch.plan.columns if each.target.column != "id"]
    own = {name: value_of(new, name) for name in own_among(given)}
    values: dict[str, ColumnElement[Any]] = {
        name: _or_default(new.c[name], table.c[name]) for name in given if name not in own
    }
    if own:
        values[COLUMN] = together(own)
    for code, amounts in batch.plan.importable.currencies.items():
        values |= _currency(batch, values, code, amounts)
    if issubclass(batch.model, Owned):
        owner = func.coalesce(values.get("owner_id", sa.null()), sa.cast(batch.caller.user_id, sa.Uuid()))
        teams = [values.get("team_id", sa.null())]
        if "owner_id" in values:
            person: Any = User.__table__.alias("new_owner")
            source = new.outerjoin(person, person.c.id == values["owner_id"])
            teams.append(person.c.team_id)
        values["owner_id"] = owner
        values["team_id"] = func.coalesce(*teams, sa.cast(batch.caller.team_id, sa.Uuid()))
    if derived := batch.plan.importable.derived:
        values |= derived(batch, values)
    constants = {
        "id": new.c.record_id,
        "source": _constant(Source.IMPORT.value),
        "created_at": _constant(moment),
        "updated_at": _constant(moment),
    }
    return source, values | constants


def changes_of(batch: Batch, new: Any) -> dict[str, Pair]:
    """What columns of existing records hold and will hold. An empty cell leaves what is there."""
    table, match = batch.table, batch.plan.match
    kept = {"id", *([] if match is None else [batch.plan.columns[match].target.column])}
    given = [each.target.column for each in batch.plan.columns if each.target.column not in kept]
    after: dict[str, ColumnElement[Any]] = {
        name: func.coalesce(new.c[name], table.c[name], type_=table.c[name].type)
        for name in given
        if not is_own(name)
    }
    for code, amounts in batch.plan.importable.currencies.items():
        if touched := [name for name in amounts if name in after]:
            some = sa.or_(*(after[name].is_not(None) for name in touched))
            explicit = new.c[code] if code in given else sa.null()
            after[code] = sa.case(
                (some, func.coalesce(explicit, table.c[code], batch.currency)), else_=table.c[code]
            )
    changes: dict[str, Pair] = {name: (table.c[name], value) for name, value in after.items()}
    for name in own_among(given):
        there = value_there(table, name)
        changes[name] = (there, func.coalesce(value_of(new, name), there, type_=there.type))
    return changes


def _currency(batch: Batch, values: Mapping[str, Any], code: str, amounts: list[str]) -> dict[str, Any]:
    """An amount without a currency is in the tenant's own; without an amount there is no currency."""
    present = [values[name].is_not(None) for name in amounts if name in values]
    if not present:
        return {code: sa.cast(sa.null(), sa.Text)} if code in values else {}
    explicit = values.get(code, sa.null())
    return {code: sa.case((sa.or_(*present), func.coalesce(explicit, batch.currency)))}


def _or_default(value: ColumnElement[Any], column: Any) -> ColumnElement[Any]:
    if column.nullable or column.default is None or not column.default.is_scalar:
        return value
    return func.coalesce(value, sa.literal(column.default.arg, column.type), type_=column.type)


def _constant(value: Any) -> ColumnElement[Any]:
    made = sa.literal(value)
    return sa.cast(made, sa.DateTime(timezone=True) if not isinstance(value, str) else sa.Text())


def _sentence(error: sqlalchemy.exc.DBAPIError) -> str:
    refusal = refusal_of(error)
    named = [f"{field}: {' '.join(texts)}" for field, texts in refusal.errors.items()]
    return " ".join([refusal.detail, *named]).strip()
