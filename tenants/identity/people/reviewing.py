"""Looking through who may do what: somebody says that they did, and a mail reminds the admins when it is due."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from tenants.audit.recording import record_event
from tenants.foundation.clock import now
from tenants.identity.models import TenantProfile
from tenants.identity.people.permissions import REVIEW_USERS
from tenants.isolation.door import db
from tenants.notices.kinds import notice_kind
from tenants.notices.telling import tell

DUE = notice_kind("users.review_due", "It is time to look through who may do what", to=REVIEW_USERS)
#: A reminder that nobody follows comes again, but not every day.
AGAIN = timedelta(days=14)
TEXT = """\
Nobody has looked through the users of your workspace since {since}.

Sign in as ever and open the security page: it names admins, people who were not seen for long or have no second factor,
and keys that are old or unused. Take away what nobody needs any more: deactivate users, change roles, end keys. Then
say there that you have looked through them, and this reminder stops for {days} days.
"""


@dataclass(frozen=True, slots=True)
class Review:
    """When users were last looked through, how often that is to be (in days), and when it is due next."""

    reviewed_at: datetime | None
    every_days: int | None
    due_at: datetime | None


def review_now() -> Review:
    """How the tenant at hand stands."""
    return _of(db().scalars(select(TenantProfile)).one())


def note_review(said: dict[str, Any]) -> Review:
    """Put on record that the caller has looked through the users; `every_days` says how often from now on, if said."""
    profile = db().scalars(select(TenantProfile).with_for_update()).one()
    changes: dict[str, Any] = {}
    if "every_days" in said and said["every_days"] != profile.review_every_days:
        changes = {"every_days": [profile.review_every_days, said["every_days"]]}
        profile.review_every_days = said["every_days"]
    profile.users_reviewed_at, profile.review_asked_at = now(), None
    db().flush()
    record_event("users.reviewed", "users", None, changes)
    return _of(profile)


def ask_for_review() -> bool:
    """Remind whoever may review, when it is due and no mail said so lately; whether it was."""
    profile = db().scalars(select(TenantProfile).with_for_update()).one()
    due = _of(profile).due_at
    lately = profile.review_asked_at is not None and profile.review_asked_at > now() - AGAIN
    if due is None or due > now() or lately:
        return False
    profile.review_asked_at = now()
    since = profile.users_reviewed_at or profile.created_at
    text = TEXT.format(since=f"{since:%d %B %Y}", days=profile.review_every_days)
    tell(DUE, "Who may do what: time to look through it", text)
    return True


def _of(profile: TenantProfile) -> Review:
    since, days = profile.users_reviewed_at or profile.created_at, profile.review_every_days
    return Review(profile.users_reviewed_at, days, since + timedelta(days=days) if days else None)
