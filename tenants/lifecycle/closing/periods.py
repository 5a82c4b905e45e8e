"""How long each part of an exit may or must take: data with its source and date, and dates worked out from it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from tenants.foundation.errors import Invalid

FILE = Path(__file__).with_name("periods.json")
SAID = {
    "at most": "At most {days} days: {law}.",
    "at least": "At least {days} days: {law}.",
    "once": "At most {days} days: {law}.",
}


@dataclass(frozen=True, slots=True)
class Period:
    """One period: its bound in days, the law that it comes from, and since when that holds (ISO 8601 date)."""

    name: str
    bound: str
    days: int
    law: str
    says: str
    effective_from: str

    def must_hold(self, days: int) -> None:
        """Raises Invalid when so many days are not within this bound."""
        fits = days >= self.days if self.bound == "at least" else 0 <= days <= self.days
        if not fits:
            raise Invalid(errors={f"{self.name}_days": [SAID[self.bound].format(**asdict(self))]})


@dataclass(frozen=True, slots=True)
class Dates:
    """Until when each part lasts; what follows the last one is destruction."""

    notice_until: datetime
    transition_until: datetime
    retrieval_until: datetime


@lru_cache(1)
def periods() -> Mapping[str, Period]:
    """Every period by its name."""
    return {each["name"]: Period(**each) for each in json.loads(FILE.read_text())}


def dates_from(asked_at: datetime, notice: int, transition: int, retrieval: int) -> Dates:
    """The dates of an exit that was asked for at this moment, its parts in days. Raises Invalid by field."""
    for name, days in (("notice", notice), ("transition", transition), ("retrieval", retrieval)):
        periods()[name].must_hold(days)
    notice_until = asked_at + timedelta(days=notice)
    transition_until = notice_until + timedelta(days=transition)
    return Dates(notice_until, transition_until, transition_until + timedelta(days=retrieval))


def longest_wait() -> timedelta:
    """How long somebody tries to wake an archived tenant that is to end: retrieval and last notice, at the least."""
    return timedelta(days=periods()["retrieval"].days + periods()["final_notice"].days)


def applied() -> list[dict[str, Any]]:
    """The periods as they are kept with an exit: what held when it was asked for, and by which law."""
    return [asdict(each) for each in periods().values()]
