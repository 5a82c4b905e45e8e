"""The rules that are enabled, and the refusal of what one of them keeps."""

from collections.abc import Iterable, Sequence
from datetime import UTC
from uuid import UUID

from sqlalchemy import select

from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict
from tenants.isolation.door import db
from tenants.retention.keeping import kinds
from tenants.retention.models import Action, RetentionRule, Trigger
from tenants.retention.moments import facts_anywhere, facts_of
from tenants.retention.periods import period_of
from tenants.retention.resolution import Facts, Fate, Resolution, Terms, resolve


def terms_in_force(resource: str | None = None, action: Action | None = None) -> dict[str, list[Terms]]:
    """What is enabled, by resource; only of one resource or action where it is named."""
    query = select(RetentionRule).where(RetentionRule.enabled_at.is_not(None))
    if resource is not None:
        query = query.where(RetentionRule.resource == resource)
    if action is not None:
        query = query.where(RetentionRule.action == action.value)
    found: dict[str, list[Terms]] = {}
    for each in db().scalars(query.order_by(RetentionRule.id)):
        found.setdefault(each.resource, []).append(terms_of(each))
    return found


def terms_of(rule: RetentionRule) -> Terms:
    """What a rule says, whether it is enabled or not."""
    named = None if rule.record_ids is None else frozenset(rule.record_ids)
    return Terms(
        id=rule.id,
        action=Action(rule.action),
        trigger=Trigger(rule.trigger),
        period=period_of(rule.period),
        effective_from=rule.effective_from,
        record_ids=named,
        name=rule.name,
        legal_source=rule.legal_source,
    )


def must_not_be_retained(resource: str | None, record_ids: Sequence[UUID]) -> None:
    """Raises Conflict that cites the rule which keeps one of these records. `resource` is None where nobody knows it."""
    terms = terms_in_force(resource, Action.RETAIN)
    if not terms:
        return
    if resource is None:
        for kind, facts in facts_anywhere(record_ids):
            refuse_retained(terms.get(kind.name, ()), facts)
        return
    for facts in facts_of(kinds()[resource], record_ids):
        refuse_retained(terms[resource], facts)


def refuse_retained(terms: Iterable[Terms], facts: Facts) -> None:
    """Raises Conflict that cites the rule when one keeps a record."""
    found = resolve(terms, facts, now())
    if found.fate is Fate.RETAINED:
        raise Conflict(_citing(found), code="retained")


def _citing(found: Resolution) -> str:
    rule = found.rule
    assert rule is not None  # noqa: S101 - what is retained is so by a rule
    end = (
        "until its time has begun and run" if found.at is None else f"until {found.at.astimezone(UTC).date()}"
    )
    return f"This is kept {end}, by the rule '{rule.name}' ({rule.legal_source})."
