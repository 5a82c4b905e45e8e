"""What becomes of a record when several rules and holds speak of it: a function of what is said, and of nothing else.

A hold beats everything. Retaining beats deleting, and of several the longest counts. Of rules that delete, those that
name the record beat those for all of its kind; then the shortest counts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from tenants.retention.models import Action, Trigger
from tenants.retention.periods import Period

#: A day that has not come yet keeps what is to be retained from then on; a document that isn't one yet is no document.
OPEN_ENDED = (Trigger.PURPOSE_ENDED, Trigger.CONTRACT_END)


@dataclass(frozen=True)
class Terms:
    """What a rule that is enabled says."""

    id: UUID
    action: Action
    trigger: Trigger
    period: Period
    effective_from: date
    record_ids: frozenset[UUID] | None = None
    name: str = ""
    legal_source: str = ""

    def speaks_of(self, record_id: UUID, on: date) -> bool:
        return self.effective_from <= on and (self.record_ids is None or record_id in self.record_ids)


@dataclass(frozen=True)
class Facts:
    """What rules go by: which record it is, and the moment from which each trigger counts; None has not come."""

    record_id: UUID
    moments: Mapping[Trigger, datetime | None]


class Fate(StrEnum):
    """What becomes of a record now."""

    HELD = "held"
    RETAINED = "retained"
    DUE = "due"
    STAYS = "stays"


@dataclass(frozen=True)
class Resolution:
    """What becomes of a record, the rule that decides it, and until or from when; None is without an end."""

    fate: Fate
    rule: Terms | None = None
    at: datetime | None = None


def resolve(terms: Iterable[Terms], facts: Facts, now: datetime, *, held: bool = False) -> Resolution:
    """What becomes of one record at this moment."""
    if held:
        return Resolution(Fate.HELD)
    speaking = [each for each in terms if each.speaks_of(facts.record_id, now.date())]
    retained = _longest([each for each in speaking if each.action is Action.RETAIN], facts)
    if retained is not None and (retained.at is None or retained.at > now):
        return retained
    due = _shortest([each for each in speaking if each.action is Action.DELETE], facts)
    if due is None:
        return Resolution(Fate.STAYS)
    return due if due.at is not None and due.at <= now else Resolution(Fate.STAYS, due.rule, due.at)


def _longest(terms: Sequence[Terms], facts: Facts) -> Resolution | None:
    ends = []
    for each in terms:
        moment = facts.moments.get(each.trigger)
        if moment is not None:
            ends.append(Resolution(Fate.RETAINED, each, each.period.after(moment)))
        elif each.trigger in OPEN_ENDED:
            return Resolution(Fate.RETAINED, each)
    return max(ends, key=lambda end: (end.at, str(end.rule and end.rule.id)), default=None)


def _shortest(terms: Sequence[Terms], facts: Facts) -> Resolution | None:
    named = [each for each in terms if each.record_ids is not None]
    come = [(each, facts.moments.get(each.trigger)) for each in named or terms]
    ends = [
        Resolution(Fate.DUE, each, each.period.after(moment)) for each, moment in come if moment is not None
    ]
    return min(ends, key=lambda end: (end.at, str(end.rule and end.rule.id)), default=None)
