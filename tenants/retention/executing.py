"""The nightly work: rules delete what is due and the bin purges what is over, some records a transaction."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from tenants.audit.erasure import forget_values
from tenants.audit.recording import record_event
from tenants.foundation.clock import now
from tenants.isolation.door import db
from tenants.isolation.turns import hold_open
from tenants.jobs.progress import conclude, progress, step
from tenants.retention.binning import BIN, by_resource, digest_of, let_go_of
from tenants.retention.candidates import due_ids, resolved
from tenants.retention.holds import TURN, held_among
from tenants.retention.keeping import Kept, ruled
from tenants.retention.leaving import for_good
from tenants.retention.models import Action, BinEntry, RetentionRule
from tenants.retention.moments import facts_in_bin
from tenants.retention.resolution import Fate, resolve
from tenants.retention.retaining import terms_in_force, terms_of

AT_ONCE = 200


def run_rules() -> None:
    """Delete what is due by the rules that are enabled. Killed and run again, it goes on with what is left."""
    with step():
        terms = terms_in_force(action=Action.DELETE)
    done = 0
    for resource, rules in terms.items():
        if resource != BIN:  # `empty_bin` goes by those
            for rule in rules:
                done = _execute(ruled()[resource], rule.id, done)
    with step():
        conclude({"deleted": done})


def empty_bin() -> None:
    """Purge what is over. Killed and run again, it goes on with what is left."""
    done, after = 0, None
    while True:
        with step():
            entries = _over(after)
            _purge(_free_to_go(entries))
        if not entries:
            break
        after, done = entries[-1].id, done + len(entries)
        progress(done=done)
    with step():
        conclude()


def _execute(kind: Kept, rule_id: UUID, done: int) -> int:
    """Delete what is due by one rule; how many records it and those before it deleted, `done` being those before it."""
    after: UUID | None = None
    while True:
        with step():
            batch, went = _batch(kind, rule_id, after)
        if not batch:
            return done
        after, done = batch[-1], done + went
        progress(done=done, phase=kind.name)


def _batch(kind: Kept, rule_id: UUID, after: UUID | None) -> tuple[Sequence[UUID], int]:
    """The next records that a rule concerns, and how many of them it deleted; none when it was switched off."""
    hold_open(TURN)
    rule = db().get(RetentionRule, rule_id)
    if rule is None or not rule.enabled:
        return (), 0
    batch = due_ids(kind, terms_of(rule), after, AT_ONCE)
    found = resolved(kind, terms_in_force(kind.name).get(kind.name, ()), batch)
    due = [
        each
        for each, fate in found.items()
        if fate.fate is Fate.DUE and fate.rule and fate.rule.id == rule_id
    ]
    _delete(kind, rule_id, due)
    return batch, len(due)


def _delete(kind: Kept, rule_id: UUID, record_ids: Sequence[UUID]) -> None:
    """Delete records for good, with the values that the audit has of them; that it happened is on record."""
    if not record_ids:
        return
    with for_good():
        for record in db().scalars(select(kind.model).where(kind.model.id.in_(record_ids))):
            db().delete(record)
        db().flush()
    forget_values(record_ids)
    record_event("retention-rules.executed", "retention-rules", rule_id, deletion(kind.name, record_ids))


def deletion(resource: str, record_ids: Sequence[UUID]) -> dict[str, Any]:
    """What is said of records that went for good: their kind and number and a hash of their ids, nothing of them."""
    return {
        "resource": [resource, None],
        "count": [len(record_ids), 0],
        "ids_sha256": [digest_of(record_ids), None],
    }


def _over(after: UUID | None) -> Sequence[BinEntry]:
    hold_open(TURN)
    query = select(BinEntry).where(BinEntry.purge_at <= now()).order_by(BinEntry.id).limit(AT_ONCE)
    if after is not None:
        query = query.where(BinEntry.id > after)
    return db().scalars(query.with_for_update(skip_locked=True)).all()


def _free_to_go(entries: Sequence[BinEntry]) -> list[BinEntry]:
    """Those that neither a hold nor a rule keeps."""
    held = held_among([each.record_id for each in entries])
    retaining, at = terms_in_force(action=Action.RETAIN), now()
    fates = (
        resolve(retaining.get(each.resource, ()), facts_in_bin(each), at, held=each.record_id in held).fate
        for each in entries
    )
    return [each for each, fate in zip(entries, fates, strict=True) if fate is Fate.STAYS]


def _purge(entries: Sequence[BinEntry]) -> None:
    if not entries:
        return
    let_go_of(entries)
    for resource, went in sorted(by_resource(entries).items()):
        record_event("bin.purged", BIN, None, deletion(resource, went))
