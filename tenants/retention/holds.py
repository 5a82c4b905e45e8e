"""Legal holds: placed and released on record, and the one answer to whether something is held."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, text

from tenants.access.caller import acting
from tenants.access.policy import save
from tenants.catalog.models import State
from tenants.catalog.states import PERMITS, STATE_HERE, Work, refusal_of
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict, Invalid
from tenants.isolation.door import db
from tenants.isolation.turns import hold_open, one_at_a_time
from tenants.retention.keeping import kinds
from tenants.retention.models import BinEntry, LegalHold, lasting

TURN = "legal-holds"


def place_hold(said: dict[str, Any]) -> LegalHold:
    """Put records, or everything, under a hold. From the answer on, nothing of it is deleted.

    Raises Invalid for records that are neither there nor in the bin, and what the tenant's state says when it is being
    destroyed.
    """
    # Whoever deletes at this moment ends first, and what they deleted is not there any more.
    one_at_a_time(TURN)
    _must_not_be_destroyed()
    if said.get("record_ids") is not None:
        said["record_ids"] = sorted(set(said["record_ids"]))
        _must_be_there(said.get("resource"), said["record_ids"])
    elif said.get("resource") is not None:
        raise Invalid(errors={"record_ids": ["Name the records, or leave resource out to hold everything."]})
    return save(LegalHold(**said, placed_by_id=acting().caller.user_id))


def release_hold(hold: LegalHold, reason: str) -> LegalHold:
    """End a hold that `find` locked. Other holds go on.

    Raises Conflict when it has ended, NotAllowed when it is the platform's to release.
    """
    hold.release(reason, acting().caller.user_id)
    db().flush()
    return hold


def must_not_be_held(record_ids: Sequence[UUID]) -> None:
    """Raises Conflict when a hold keeps one of these records. No hold is placed until the transaction ends."""
    hold_open(TURN)
    if held_among(record_ids):
        raise Conflict("A legal hold keeps this from being deleted or erased.", code="held")


def is_anything_held() -> bool:
    """Whether any hold is in force: all of a tenant can't go while a part of it is held."""
    hold_open(TURN)
    return db().scalars(select(LegalHold.id).where(lasting(LegalHold, now())).limit(1)).first() is not None


def held_among(record_ids: Sequence[UUID]) -> set[UUID]:
    """Which of these records a hold keeps."""
    named = or_(LegalHold.record_ids.is_(None), LegalHold.record_ids.overlap(list(record_ids)))
    there = select(LegalHold.record_ids).where(lasting(LegalHold, now()), named)
    wanted, held = set(record_ids), set[UUID]()
    for each in db().scalars(there):
        held |= wanted if each is None else wanted.intersection(each)
    return held


def ends_in_force() -> list[datetime | None]:
    """When the holds that are in force end; None for one without an end."""
    return list(
        db().scalars(select(LegalHold.ends_at).where(lasting(LegalHold, now())).order_by(LegalHold.id))
    )


def _must_not_be_destroyed() -> None:
    """Who was let in while the tenant was closing may have waited for its end."""
    state = State(db().scalar(text(STATE_HERE)))
    if PERMITS[state].work is Work.NONE:
        raise refusal_of(state)


def _must_be_there(resource: str | None, record_ids: Sequence[UUID]) -> None:
    kind = kinds().get(resource or "")
    if kind is None:
        listed = ", ".join(sorted(kinds()))
        raise Invalid(errors={"resource": [f"Records can be held of: {listed}."]})
    there = select(kind.model.id).where(kind.model.id.in_(record_ids))
    binned = select(BinEntry.record_id).where(
        BinEntry.resource == resource, BinEntry.record_id.in_(record_ids)
    )
    found = {*db().scalars(there), *db().scalars(binned)}
    if missing := len([each for each in record_ids if each not in found]):
        texts = "There is no such record." if missing == 1 else f"{missing} of these records are not there."
        raise Invalid(errors={"record_ids": [texts]})
