"""Finds out, for many rows at once, which are wrong, and which records they are about."""

from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, func

from crm.imports.applying import changes_of, current, new_values
from crm.imports.batches import QUOTED, ROWS, Batch, found, matches, resolved
from crm.imports.models import Action, Mode
from crm.imports.rebinding import rebind
from tenants.access.caller import Caller, Extent
from tenants.access.permissions import ASSIGN, Reach
from tenants.access.reaching import narrowed
from tenants.foundation.tables import Owned


def reject_doubles(batch: Batch) -> None:
    """Of rows about the same record the first one counts: a field that recognises or is unique comes once in a file."""
    importable = batch.plan.importable
    for place, each in enumerate(batch.plan.columns):
        if place == batch.plan.match or (each.target.column in importable.unique and not each.target.lookup):
            key = func.lower(batch.text(place))
            twice = (
                sa.select(key.label("name"), func.min(ROWS.c.number).label("first"))
                .where(batch.rows(), key.is_not(None))
                .group_by(key)
                .having(func.count() > 1)
                .subquery("twice")
            )
            sentence = (
                sa.literal(f"{each.column}: The same as in row ", sa.Text)
                + sa.cast(twice.c.first, sa.Text)
                + sa.literal(".", sa.Text)
            )
            bad = sa.select(ROWS.c.number, sentence.label("reason")).join(twice, twice.c.name == key)
            batch.reject(bad.where(batch.rows(), ROWS.c.number > twice.c.first), "")


def recognise(batch: Batch) -> None:
    """Find the records that rows are about, and decide with the mode what becomes of each row."""
    plan, place = batch.plan, batch.plan.match
    if place is not None:
        known, key = matches(batch, place), func.lower(batch.text(place))
        joined = sa.select(ROWS.c.number).join(known, known.c.name == key)
        named = f"{plan.columns[place].column}: "
        batch.reject(
            joined.where(batch.rows(), known.c.count > 1),
            f"{named}Several {plan.importable.resource} have this value.",
        )
        action = Action.SKIP if plan.mode is Mode.CREATE else Action.UPDATE
        if action is Action.UPDATE:
            rebind(batch, known, key)
        match = sa.update(ROWS).where(batch.rows(), known.c.name == key, known.c.count == 1)
        batch.run(match.values(action=action.value, record_id=known.c.id))
        if plan.mode is Mode.UPDATE:
            sentence = f"{named}No {plan.importable.noun} has this value."
            batch.reject(sa.select(ROWS.c.number).where(batch.rows(Action.CREATE)), sentence)
    _require(batch)
    _refuse_taken(batch)


def _require(batch: Batch) -> None:
    """A new record has everything that records need. Without recognition `staging` has looked already."""
    needed = batch.plan.importable.required
    for place, each in enumerate(batch.plan.columns):
        if each.target.column in needed and batch.plan.match is not None:
            bad = sa.select(ROWS.c.number).where(batch.rows(Action.CREATE), batch.text(place).is_(None))
            batch.reject(bad, f"{each.column}: This can't be empty.")


def _refuse_taken(batch: Batch) -> None:
    """What is unique and taken already is refused here: the database would refuse it row by row."""
    for place, each in enumerate(batch.plan.columns):
        lowered = batch.plan.importable.unique.get(each.target.column)
        if lowered is not None and not each.target.lookup:
            column, text = batch.table.c[each.target.column], batch.text(place)
            same = func.lower(column) == func.lower(text) if lowered else sa.cast(column, sa.Text) == text
            bad = sa.select(ROWS.c.number).join(batch.table, same).where(batch.rows(Action.CREATE))
            batch.reject(
                bad, f"{each.column}: There is a {batch.plan.importable.noun} with this value already."
            )


def refuse_unknown(batch: Batch, *, forgiving: bool = False) -> None:
    """Reject rows whose related record isn't there, or is there several times.

    A row that refers to a record of its own kind waits for the next step, where that record may have been made;
    `forgiving` is for dry runs, which make nothing.
    """
    for place, each in enumerate(batch.plan.columns):
        lookup = each.target.lookup
        if lookup is None or (forgiving and lookup.made):
            continue
        known = found(batch, place, lookup)
        quoted = (
            sa.literal(f"{each.column}: ", sa.Text)
            + _how_many(known.c.count)
            + sa.literal(f" {lookup.noun} '", sa.Text)
        )
        sentence = quoted + func.left(batch.text(place), QUOTED) + sa.literal("'.", sa.Text)
        bad = sa.select(ROWS.c.number, sentence.label("reason")).join(
            known, known.c.name == func.lower(batch.text(place))
        )
        if each.target.self_referring:
            waiting = bad.where(batch.rows(), known.c.count == 0).subquery("waiting")
            batch.run(
                sa.update(ROWS)
                .where(batch.rows(), ROWS.c.number == waiting.c.number)
                .values(step=batch.step + 1)
            )
        batch.reject(bad.where(batch.rows(), known.c.count != 1), "")


def refuse_stranded(batch: Batch, *, in_file: bool) -> None:
    """Reject what still waits for a record of its own kind; `in_file` spares those that a row of the file would make."""
    for place, each in enumerate(batch.plan.columns):
        if each.target.self_referring and each.target.lookup is not None:
            start = sa.literal(f"{each.column}: There is no {each.target.lookup.noun} '", sa.Text)
            sentence = start + func.left(batch.text(place), QUOTED) + sa.literal("'.", sa.Text)
            bad = sa.select(ROWS.c.number, sentence.label("reason")).where(batch.rows())
            if in_file:
                bad = bad.where(func.lower(batch.text(place)).not_in(_made(batch, each.target.lookup.by)))
            batch.reject(bad, "")


def _made(batch: Batch, column: str) -> Any:
    """The names of the records that this file would make."""
    names = [
        batch.text(place) for place, each in enumerate(batch.plan.columns) if each.target.column == column
    ]
    wanted = (ROWS.c.import_id == batch.import_id, ROWS.c.action == Action.CREATE.value)
    return (
        sa.select(func.coalesce(func.lower(names[0]), "")).where(*wanted)
        if names
        else sa.select(sa.literal(""))
    )


def _how_many(count: ColumnElement[int]) -> ColumnElement[str]:
    return sa.case(
        (count == 0, sa.literal("There is no", sa.Text)), else_=sa.literal("There are several of", sa.Text)
    )


def refuse_out_of_reach(batch: Batch) -> None:
    """Reject what the caller may not add or change, and changes of records that a rule forbids."""
    importable, new = batch.plan.importable, resolved(batch, Action.CREATE)
    extent = _by_owner_alone(batch.caller, importable.create.name)
    if issubclass(batch.model, Owned) and extent is not None:
        source, values = new_values(batch, new)
        _reject_unless(
            batch,
            new.c.row_number.label("number"),
            source,
            narrowed(_owners(values), extent),
            f"You may not add this {importable.noun} for that owner.",
        )
    if batch.plan.match is not None:
        changed = resolved(batch, Action.UPDATE)
        table, joined = batch.table, current(batch, changed)
        extent = batch.caller.extent(importable.edit.name)
        _reject_unless(
            batch,
            changed.c.row_number.label("number"),
            joined,
            narrowed(table, extent),
            f"You may not change this {importable.noun}.",
        )
        if issubclass(batch.model, Owned):
            _reject_unless(
                batch,
                changed.c.row_number.label("number"),
                joined,
                _assignable(batch, changes_of(batch, changed)),
                f"You may not give this {importable.noun} to that owner.",
            )


def _assignable(batch: Batch, changes: dict[str, Any]) -> ColumnElement[bool] | None:
    """Owner and team stay what they are, or are and become what the caller may assign; None when all is well."""
    table = batch.table
    before = {"owner_id": table.c.owner_id, "team_id": table.c.team_id}
    after = {name: changes[name][1] if name in changes else each for name, each in before.items()}
    if after == before:
        return None
    extent = _by_owner_alone(batch.caller, ASSIGN.name)
    if extent is not None and extent.reach is Reach.ALL:
        return None
    unchanged = sa.and_(*(after[name].is_not_distinct_from(each) for name, each in before.items()))
    both = [] if extent is None else [narrowed(_owners(each), extent) for each in (before, after)]
    allowed = [each for each in both if each is not None]
    return sa.or_(unchanged, sa.and_(*allowed)) if allowed else unchanged


def _by_owner_alone(caller: Caller, permission: str) -> Extent | None:
    """For records that will be as the file says: nobody can have shared those."""
    reach = caller.reach(permission)
    return None if reach is None else Extent(reach)


def refuse_unruly(batch: Batch) -> None:
    """Reject rows that break a rule of their record."""
    checks = batch.plan.importable.checks
    if checks is None:
        return
    new = resolved(batch, Action.CREATE)
    source, values = new_values(batch, new)
    for bad, sentence in checks(values, None):
        batch.reject(sa.select(new.c.row_number.label("number")).select_from(source).where(bad), sentence)
    if batch.plan.match is not None:
        changed = resolved(batch, Action.UPDATE)
        after = {name: pair[1] for name, pair in changes_of(batch, changed).items()}
        for bad, sentence in checks(after, batch.table):
            batch.reject(
                sa.select(changed.c.row_number.label("number"))
                .select_from(current(batch, changed))
                .where(bad),
                sentence,
            )


def skip_unchanged(batch: Batch) -> None:
    """A row that says nothing new changes nothing."""
    if batch.plan.match is None or batch.plan.mode is Mode.CREATE:
        return
    changed = resolved(batch, Action.UPDATE)
    pairs = changes_of(batch, changed).values()
    same = [before.is_not_distinct_from(after) for before, after in pairs if before is not None]
    equal = (
        sa.select(changed.c.row_number.label("number"))
        .select_from(current(batch, changed))
        .where(*same)
        .subquery("equal")
    )
    skip = sa.update(ROWS).where(batch.rows(Action.UPDATE), ROWS.c.number == equal.c.number)
    batch.run(skip.values(action=Action.SKIP.value))


def _reject_unless(
    batch: Batch, number: Any, source: Any, good: ColumnElement[bool] | None, sentence: str
) -> None:
    if good is not None:
        batch.reject(sa.select(number).select_from(source).where(good.is_not(sa.true())), sentence)


def _owners(values: Any) -> Any:
    return SimpleNamespace(owner_id=values["owner_id"], team_id=values["team_id"])
