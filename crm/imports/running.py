"""Runs an import: the file into the staging table first, then from there into the records, batch by batch."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import func, select

from crm.imports import checking
from crm.imports.applying import apply
from crm.imports.batches import ROWS, Batch
from crm.imports.importable import importables
from crm.imports.models import Action, Import, Mode
from crm.imports.plan import Plan
from crm.imports.staging import stage
from crm.imports.tables import read_rows
from tenants.access.caller import acting
from tenants.foundation.errors import Unavailable
from tenants.identity.models import TenantProfile
from tenants.isolation.door import db
from tenants.isolation.files import files, opened_file
from tenants.jobs.progress import conclude, progress, step

STAGED_AT_ONCE = 50_000
APPLIED_AT_ONCE = 25_000
TRIES = 5
DEEPEST = 50
# Look-ups, checks and effects of a batch see one state of the tenant.
SNAPSHOT = "isolation level repeatable read"


def run(import_id: UUID) -> None:
    """Bring a file in, from wherever an earlier attempt stopped.

    Raises Invalid for a file that is broken further down: then nothing was changed. Raises NotAllowed when whoever
    asked has lost the right meanwhile.
    """
    _stage(import_id)
    with step():
        _join_by_hash()
        record = _locked(import_id)
        doubles = _batch(record, 1, record.staged)
        if not record.applied:
            checking.reject_doubles(doubles)
    while _apply_some(import_id):
        pass
    with step():
        record = _locked(import_id)
        files().delete(record.file)
        conclude(record.counts)


def _stage(import_id: UUID) -> None:
    with ExitStack() as kept_open:
        with step():
            record = _locked(import_id)
            if record.read:
                return
            chunks = kept_open.enter_context(opened_file(record.file))
            rows = read_rows(chunks, record.encoding, record.delimiter)
            next(
                islice(rows, record.staged, None), None
            )  # the header, and what an earlier attempt has staged
        while not _stage_some(import_id, rows):
            pass


def _stage_some(import_id: UUID, rows: Iterator[list[str]]) -> bool:
    """Stage the next rows in a transaction of their own; whether that was all of them."""
    with step():
        record = _locked(import_id)
        staged = stage(_plan(record), record.id, rows, record.staged, STAGED_AT_ONCE)
        record.staged += staged
        record.rows, record.read = record.staged, staged < STAGED_AT_ONCE
        done, over = record.staged, record.read
    progress(done=done, phase="reading")
    return over


def _apply_some(import_id: UUID) -> bool:
    """Check and apply the next rows in one transaction, and count them in it; whether there may be more."""
    for last in range(TRIES - 1, -1, -1):
        try:
            with step(isolation=SNAPSHOT):
                _join_by_hash()
                record = _locked(import_id)
                if record.applied >= record.staged:
                    return False
                high = (
                    record.staged
                    if _plan(record).self_referring
                    else min(record.staged, record.applied + APPLIED_AT_ONCE)
                )
                batch = _batch(record, record.applied + 1, high)
                _check_and_apply(batch, dry=record.dry_run)
                _count(record, batch)
                done, total = record.applied, record.staged
            progress(done=done, total=total, phase="applying")
        except Unavailable:
            # Somebody changed the same records since the snapshot was taken: the batch is taken again.
            if not last:
                raise
        else:
            return True
    return False


def _check_and_apply(batch: Batch, *, dry: bool) -> None:
    if (first := batch.plan.importable.first) and not dry:
        first(batch)
    checking.recognise(batch)
    for step_number in range(DEEPEST):
        now = batch.at(step_number)
        checking.refuse_unknown(now, forgiving=dry)
        checking.refuse_out_of_reach(now)
        checking.refuse_unruly(now)
        checking.skip_unchanged(now)
        if not dry:
            apply(now)
        if not batch.plan.self_referring or not _is_any(batch.at(step_number + 1)):
            return
        if dry or not _is_any(now):
            break
    checking.refuse_stranded(batch.at(step_number + 1), in_file=dry)


def _join_by_hash() -> None:
    """Rows that were staged a moment ago are in no statistics yet, and loops over what looks like one row never end."""
    off, memory = (
        func.set_config("enable_nestloop", "off", sa.true()),
        func.set_config("work_mem", "64MB", sa.true()),
    )
    db().execute(select(off, memory))


def _is_any(batch: Batch) -> bool:
    return batch.run(select(ROWS.c.number).where(batch.rows()).limit(1)).first() is not None


def _count(record: Import, batch: Batch) -> None:
    """Add what became of these rows to the counts, and note that they have had their effect."""
    within = ROWS.c.number.between(batch.low, batch.high)
    query = (
        select(ROWS.c.action, func.count().label("number"))
        .where(ROWS.c.import_id == record.id, within)
        .group_by(ROWS.c.action)
    )
    counted = {row.action: row.number for row in db().execute(query)}
    record.created += counted.get(Action.CREATE, 0)
    record.updated += counted.get(Action.UPDATE, 0)
    record.skipped += counted.get(Action.SKIP, 0)
    record.rejected += counted.get(Action.REJECT, 0)
    record.applied = batch.high


def _batch(record: Import, low: int, high: int) -> Batch:
    currency = db().scalars(select(TenantProfile.currency)).one()
    return Batch(_plan(record), record.id, low, high, acting().caller, currency)


def _plan(record: Import) -> Plan:
    return Plan.of(record, importables()[record.resource])


def _locked(import_id: UUID) -> Import:
    """The import, kept from other attempts, and only while whoever asked may still do this."""
    record = db().scalars(select(Import).where(Import.id == import_id).with_for_update()).one()
    importable = importables()[record.resource]
    for mode, right in ((Mode.UPDATE, importable.create), (Mode.CREATE, importable.edit)):
        if record.mode != mode:
            acting().caller.must(right)
    return record
