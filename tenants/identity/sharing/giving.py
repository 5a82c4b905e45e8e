"""Shares a record with somebody, changes how, and takes it back; nobody shares more than they have."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select

from tenants.access.caller import acting
from tenants.access.ownership import owned_models
from tenants.access.permissions import registered
from tenants.access.policy import change, find, must_reach, remove, resource_of, save
from tenants.access.reaching import decide
from tenants.audit.recording import as_json, record_event
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict, Invalid, NotAllowed, NotFound
from tenants.identity.models import RecordShare, Team, User
from tenants.isolation.door import db
from tenants.isolation.turns import one_at_a_time

MOST = 1000
NOT_THERE = "There is no such record."
TERMS = ("level", "expires_at")


def give_share(said: dict[str, Any]) -> RecordShare:
    """Share a record that the caller reaches.

    Raises Invalid for what isn't there, NotAllowed for more than the caller may do themselves, Conflict when it is
    shared with them already or too much is.
    """
    _check_receiver(said)
    record = _record(said["resource"], said["record_id"])
    said.setdefault("level", "read")
    _must_have(record, said["level"])
    _make_room(said)
    share = save(RecordShare(**said))
    _put_on_record(share, {name: [None, getattr(share, name)] for name in ("user_id", "team_id", *TERMS)})
    return share


def change_share(share_id: UUID, terms: dict[str, Any]) -> RecordShare:
    """Change level or end of a share: whoever prolongs it gives it once more.

    Raises as `give_share` does, NotFound when its record is out of reach.
    """
    share, record = _shared(share_id)
    _must_have(record, terms.get("level", share.level))
    before = {name: getattr(share, name) for name in TERMS}
    change(share, terms)
    pairs = {name: [value, getattr(share, name)] for name, value in before.items()}
    _put_on_record(share, pairs)
    return share


def take_share_back(share_id: UUID) -> None:
    """End a share. Raises NotFound and NotAllowed as `change_share` does."""
    share, _ = _shared(share_id)
    _put_on_record(share, {name: [getattr(share, name), None] for name in ("user_id", "team_id", *TERMS)})
    remove(share)


def _check_receiver(said: dict[str, Any]) -> None:
    receivers: tuple[tuple[str, Any, Any], ...] = (
        ("user_id", User, User.state == "active"),
        ("team_id", Team, True),
    )
    errors = {}
    for name, model, good in receivers:
        wanted = said.get(name)
        if wanted is not None and db().scalar(select(model.id).where(model.id == wanted, good)) is None:
            errors[name] = [NOT_THERE]
    if errors:
        raise Invalid(errors=errors)
    if (said.get("user_id") is None) == (said.get("team_id") is None):
        raise Invalid(errors={"user_id": ["Share with a user or with a team: one of the two."]})


def _record(resource: str, record_id: UUID) -> Any:
    model = owned_models().get(resource)
    if model is None:
        listed = ", ".join(sorted(owned_models()))
        raise Invalid(errors={"resource": [f"Records can be shared of: {listed}."]})
    try:
        return find(model, record_id)
    except NotFound:
        raise Invalid(errors={"record_id": [NOT_THERE]}) from None


def _must_have(record: Any, level: str) -> None:
    """Whoever shares reaches the record with the right to share, and with what they give."""
    must_reach(record)
    given = f"{resource_of(type(record))}:{level}"
    if given not in registered():
        raise Invalid(errors={"level": ["Records of this kind can be shared for reading only."]})
    if not decide(acting().caller, given, record).allowed:
        raise NotAllowed(f"'{given}' does not reach this record for you, so you can't give it to others.")


def _make_room(said: dict[str, Any]) -> None:
    receiver = {name: said[name] for name in ("user_id", "team_id") if said.get(name)}
    (name, wanted), = receiver.items()  # fmt: skip
    one_at_a_time("shares", str(wanted), said["resource"])
    theirs = (getattr(RecordShare, name) == wanted, RecordShare.resource == said["resource"])
    before = (
        db().scalars(select(RecordShare).where(*theirs, RecordShare.record_id == said["record_id"])).first()
    )
    if before is not None and (before.expires_at is None or before.expires_at > now()):
        raise Conflict("This record is shared with them already: change that share.", code="shared_already")
    if before is not None:
        remove(before)
    live = or_(RecordShare.expires_at.is_(None), RecordShare.expires_at > now())
    if (db().scalar(select(func.count()).select_from(RecordShare).where(*theirs, live)) or 0) >= MOST:
        raise Conflict(
            f"{MOST:,} records of this kind are shared with them already. Put them into a team whose reach has "
            "these records, or share with a team.",
            code="too_many_shares",
        )


def _shared(share_id: UUID) -> tuple[RecordShare, Any]:
    """A share and its record, when the caller may share that."""
    share = find(RecordShare, share_id, lock=True)
    record = find(owned_models()[share.resource], share.record_id)
    must_reach(record)
    return share, record


def _put_on_record(share: RecordShare, pairs: dict[str, list[Any]]) -> None:
    """Also in the history of the record itself."""
    changed = {name: [as_json(each) for each in pair] for name, pair in pairs.items() if pair[0] != pair[1]}
    record_event(f"{share.resource}.shared", share.resource, share.record_id, changed)
