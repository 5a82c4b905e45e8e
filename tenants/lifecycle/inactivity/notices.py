"""What admins were told of a quiet time, by the tenant's own record, and whether any of it left the house.

A notice of which no mail could be sent, and that no webhook took, reached nobody: the ladder begins again from its first
notice, once.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from tenants.audit.models import AuditEvent
from tenants.catalog.registry import Home
from tenants.isolation.door import db, inside
from tenants.lifecycle.admins import Sent, sent

ACTION = "tenant.inactivity_notice"
ROUNDS = ("quiet", "again")


@dataclass(frozen=True, slots=True)
class Notices:
    """Those of one round: when each was given, by its days; and what became of the last one, None before any."""

    since: datetime
    round: str
    given: dict[int, datetime]
    last: Sent | None

    def key(self, days: int, at: datetime) -> str:
        """Under which a notice is put on record."""
        return f"{_begins(self.round, self.since)}{days}-{at.isoformat()}"

    def once_more(self) -> "Notices":
        """What counts: nothing, when the last notice of the first round reached nobody."""
        if self.round == ROUNDS[0] and self.last is Sent.NONE:
            return Notices(self.since, ROUNDS[1], {}, None)
        return self


def told(home: Home, since: datetime) -> Notices:
    """What was told since somebody used it last; of the second round, once that has begun."""
    notices = select(AuditEvent.request_id).where(
        AuditEvent.record_id == home.id, AuditEvent.action == ACTION
    )
    with inside(home):
        keys = list(db().scalars(notices.order_by(AuditEvent.id)))
        latest = {each: [key for key in keys if key.startswith(_begins(each, since))] for each in ROUNDS}
        number = ROUNDS[1] if latest[ROUNDS[1]] else ROUNDS[0]
        mine = latest[number]
        last = sent(home, mine[-1]) if mine else None
    parts = [key.removeprefix(_begins(number, since)).split("-", 1) for key in mine]
    given = {int(days): datetime.fromisoformat(moment) for days, moment in parts}
    return Notices(since, number, given, last).once_more()


def _begins(number: str, since: datetime) -> str:
    return f"{number}-{int(since.timestamp())}-"
