"""Runs an import: the file into the staging table first, then from there into the records, batch by batch."""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from itertools import islice
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from crm.imports import checking
from crm.imports.applying import apply
from crm.imports.batches import ROWS, Batch
from crm.imports.closed import must_be_open
from crm.imports.models import Action, Import, ImportBatch, Mode
from crm.imports.own_fields import importable_here
from crm.imports.plan import Plan
from crm.imports.queries import counts
from crm.imports.staging import stage
from crm.imports.tables import read_rows
from tenants.access.caller import acting
from tenants.foundation.errors import Unavailable
from tenants.identity.models import TenantProfile
from tenants.isolation.door import db
from tenants.isolation.files import files, opened_file
from tenants.jobs.progress import conclude, progress, step
from tenants.jobs.side_by_side import side_by_side

STAGED_AT_ONCE = 50_000
APPLIED_AT_ONCE = 25_000
#: Batches under way at the same time. Both are PostgreSQL's work, and it has more than one core.
AT_ONCE = 2
TRIES = 5
DEEPEST = 50
# Look-ups, checks and effects of a batch see one state of the tenant.
SNAPSHOT = "isolation level repeatable read"
COUNTED = {
    "created": Action.CREATE,
    "updated": Action.UPDATE,
    "skipped": Action.SKIP,
    "rejected": Action.REJECT,
}
IMPORTS: Any = Import.__table__
#: The first row and the last one.
Rows = tuple[int, int]


def run(import_id: UUID) -> None:
    """Bring a file in, from wherever an earlier attempt stopped.

    Raises Invalid for a file that is broken further down: then nothing was changed. Raises NotAllowed when whoever
    asked has lost the right meanwhile.
    """
    _stage(import_id)
    with step():
        _join_by_hash()
        record = _locked(import_id)
        left, plan, total = _left(record), _plan(record), record.staged
        if left == _parts(1, total, plan):
            checking.reject_doubles(_batch(record, 1, total))
    # What a batch makes for others to find, two batches would make twice.
    at_once = 1 if plan.importable.first else AT_ONCE
    side_by_side(partial(_apply, import_id, total), left, at_once=at_once)
    with step():
        record = _locked(import_id)
        files().delete(record.file)
        conclude(db().execute(select(counts(IMPORTS)).where(IMPORTS.c.id == import_id)).scalar_one())


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


def _left(record: Import) -> list[Rows]:
    """The rows that have had no effect yet, in parts that are applied in one transaction each."""
    done = select(ImportBatch.low, ImportBatch.high).where(ImportBatch.import_id == record.id)
    parts, low = [], 1
    for first, last in db().execute(done.order_by(ImportBatch.low)):
        parts += _parts(low, first - 1, _plan(record))
        low = last + 1
    return [*parts, *_parts(low, record.staged, _plan(record))]


def _parts(low: int, high: int, plan: Plan) -> list[Rows]:
    """Rows that refer to each other stay together."""
    most = max(high, 1) if plan.self_referring else APPLIED_AT_ONCE
    return [(start, min(start + most - 1, high)) for start in range(low, high + 1, most)]


def _apply(import_id: UUID, total: int, rows: Rows) -> None:
    """Check and apply these rows in one transaction, unless another attempt has."""
    for last in range(TRIES - 1, -1, -1):
        try:
            with step(isolation=SNAPSHOT):
                _apply_in_step(import_id, rows)
        except Unavailable:
            # Somebody changed the same records since the snapshot was taken: the batch is taken again.
            if not last:
                raise
        else:
            with step():
                done = select(func.sum(ImportBatch.high - ImportBatch.low + 1))
                applied = db().scalar(done.where(ImportBatch.import_id == import_id))
            progress(done=applied, total=total, phase="applying")
            return


def _apply_in_step(import_id: UUID, rows: Rows) -> None:
    _join_by_hash()
    low, high = rows
    claim = insert(ImportBatch).values(import_id=import_id, low=low, high=high).on_conflict_do_nothing()
    if not db().scalar(claim.returning(ImportBatch.low)):
        return
    record = db().scalars(select(Import).where(Import.id == import_id)).one()
    _must(record)
    batch = _batch(record, low, high)
    if batch.plan.importable.own:
        # Whoever changes the tenant's own fields waits for this; what changed since the snapshot has it taken again.
        db().execute(select(TenantProfile.id).with_for_update(read=True))
    _check_and_apply(batch, dry=record.dry_run)
    _count(batch)


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


def _count(batch: Batch) -> None:
    """Write down what became of these rows."""
    columns = {name: func.count().filter(ROWS.c.action == each).label(name) for name, each in COUNTED.items()}
    within = ROWS.c.number.between(batch.low, batch.high)
    counted = db().execute(select(*columns.values()).where(ROWS.c.import_id == batch.import_id, within)).one()
    mine = (ImportBatch.import_id == batch.import_id, ImportBatch.low == batch.low)
    batch.run(sa.update(ImportBatch).where(*mine).values(counted._asdict()))


def _batch(record: Import, low: int, high: int) -> Batch:
    currency = db().scalars(select(TenantProfile.currency)).one()
    return Batch(_plan(record), record.id, low, high, acting().caller, currency)


def _plan(record: Import) -> Plan:
    return Plan.of(record, importable_here(record.resource))


def _locked(import_id: UUID) -> Import:
    """The import, kept from other attempts, and only while whoever asked may still do this."""
    record = db().scalars(select(Import).where(Import.id == import_id).with_for_update()).one()
    _must(record)
    return record


def _must(record: Import) -> None:
    importable = importable_here(record.resource)
    for mode, right in ((Mode.UPDATE, importable.create), (Mode.CREATE, importable.edit)):
        if record.mode != mode:
            acting().caller.must(right)
    must_be_open(_plan(record), acting().caller)
