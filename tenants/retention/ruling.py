"""Rules of retention: written, looked at before they do anything, and switched on and off."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from tenants.access.caller import acting
from tenants.access.policy import change, remove, save
from tenants.audit.recording import record_event
from tenants.foundation.clock import now
from tenants.foundation.errors import Invalid
from tenants.foundation.tables import Purpose
from tenants.isolation.door import db
from tenants.isolation.turns import one_at_a_time
from tenants.retention.binning import BIN, reschedule
from tenants.retention.candidates import SHOWN, look
from tenants.retention.holds import TURN
from tenants.retention.keeping import ruled
from tenants.retention.models import Action, BinEntry, RetentionRule, Trigger
from tenants.retention.moments import later
from tenants.retention.overseeing import must_be_theirs, must_see_all
from tenants.retention.periods import period_of
from tenants.retention.retaining import terms_of


@dataclass(frozen=True)
class Preview:
    """What a rule would do if it ran now: to how many records, and some of them."""

    sentence: str
    count: int
    sample_ids: Sequence[UUID]
    held: int = 0
    retained: int = 0
    referred_to: int = 0


def write_rule(said: dict[str, Any]) -> RetentionRule:
    """A new rule, switched off. Raises Invalid for what can't be said of that resource, NotAllowed as `must_see_all`."""
    said.setdefault("effective_from", now().date())
    must_see_all(said["resource"])
    rule = RetentionRule(**said, purpose=_purpose_of(said["resource"]))
    _must_make_sense(rule)
    return save(rule)


def rewrite_rule(rule: RetentionRule, said: Mapping[str, Any]) -> RetentionRule:
    """Change a rule that `find` locked; it is off then, until somebody has looked at it again. Raises as `write_rule`."""
    was_on = rule.enabled
    must_see_all(said.get("resource", rule.resource))
    rule.disable()
    change(rule, {**said, "purpose": _purpose_of(said.get("resource", rule.resource))})
    _must_make_sense(rule)
    if was_on:
        _settle(rule)
    return rule


def delete_rule(rule: RetentionRule) -> None:
    """Delete a rule that is off. Raises Conflict for one that is enabled."""
    rule.must_be_off()
    remove(rule)


def preview(rule: RetentionRule) -> Preview:
    """What a rule would do if it held now, beside all that is enabled; from then on it can be enabled.

    Raises NotAllowed for whoever doesn't see all of these records.
    """
    must_see_all(rule.resource)
    found = _of_the_bin(rule) if rule.resource == BIN else _of_records(rule)
    rule.note_preview(found.count)
    db().flush()
    return found


def enable_rule(rule: RetentionRule) -> RetentionRule:
    """Switch a rule on that was previewed as it is. Raises Conflict otherwise, NotAllowed as `must_be_theirs` does."""
    must_be_theirs(rule)
    one_at_a_time(TURN)  # from the answer on, nothing that it retains goes
    rule.enable(acting().caller.user_id)
    db().flush()
    _settle(rule)
    record_event("retention-rules.enabled", "retention-rules", rule.id, {})
    return rule


def disable_rule(rule: RetentionRule) -> RetentionRule:
    """Switch a rule off."""
    rule.disable()
    db().flush()
    _settle(rule)
    record_event("retention-rules.disabled", "retention-rules", rule.id, {})
    return rule


def _settle(rule: RetentionRule) -> None:
    if rule.resource == BIN:
        reschedule()


def _of_records(rule: RetentionRule) -> Preview:
    kind, terms = ruled()[rule.resource], terms_of(rule)
    looked = look(kind, terms)
    many = f"{looked.count:,} of the {rule.resource}"
    retains = terms.action is Action.RETAIN
    said = f"This would keep {many} from being deleted today." if retains else f"This would remove {many}."
    return Preview(said, **vars(looked))


def _of_the_bin(rule: RetentionRule) -> Preview:
    over = select(BinEntry.id).where(later(BinEntry.created_at, period_of(rule.period)) <= now())
    count = db().scalar(select(func.count()).select_from(over.subquery())) or 0
    sample = db().scalars(over.order_by(BinEntry.id).limit(SHOWN)).all()
    return Preview(f"This would purge {count:,} records from the bin.", count, sample)


def _purpose_of(resource: str) -> str:
    if resource == BIN:
        return Purpose.OPERATION.value
    kind = ruled().get(resource)
    if kind is None:
        listed = ", ".join(sorted([BIN, *ruled()]))
        raise Invalid(errors={"resource": [f"Rules can speak of: {listed}."]})
    purpose: Purpose = kind.model.__purpose__
    return purpose.value


def _must_make_sense(rule: RetentionRule) -> None:
    if rule.resource == BIN:
        if (rule.action, rule.trigger, rule.record_ids) != (Action.DELETE, Trigger.CREATED, None):
            raise Invalid(
                errors={"resource": ["Of the bin, say how long after a deletion it keeps: delete, created."]}
            )
        return
    triggers = ruled()[rule.resource].triggers
    if rule.trigger not in triggers:
        listed = ", ".join(triggers)
        raise Invalid(errors={"trigger": [f"The {rule.resource} know: {listed}."]})
    if rule.record_ids is not None:
        rule.record_ids = sorted(set(rule.record_ids))
        _must_be_there(rule)


def _must_be_there(rule: RetentionRule) -> None:
    named = rule.record_ids or []
    model = ruled()[rule.resource].model
    found = set(db().scalars(select(model.id).where(model.id.in_(named))))
    if not found.issuperset(named):
        raise Invalid(errors={"record_ids": ["There is no such record."]})
