"""Looks at every tenant for the last time that somebody used it, tells admins in time, and archives at last.

Inactivity archives and never destroys. What counts is people and programs: sessions, keys, connected apps, jobs that
somebody asked for, and what they did by the record, which nobody deletes; and that it came back from an archive. What the
house does by itself doesn't.
"""

from datetime import datetime, timedelta

import structlog

from tenants.catalog.models import State
from tenants.catalog.registry import Catalog, Home
from tenants.catalog.states import Mover
from tenants.foundation.clock import now
from tenants.foundation.errors import Refusal
from tenants.isolation.walking import walk
from tenants.lifecycle.admins import UNUSED, Sent, tell_admins_once
from tenants.lifecycle.archives.keeping import ask_to_archive
from tenants.lifecycle.changing import Decision
from tenants.lifecycle.closing.exiting import leaving
from tenants.lifecycle.inactivity.ladder import NOTICES, due
from tenants.lifecycle.inactivity.notices import ACTION, told

log = structlog.get_logger(__name__)
ROUND = "inactivity.look"
REASON = "Nobody used it for {days} days."
#: Rows of sessions, keys and apps may go; whoever takes them away, or signed in, is in the audit log.
LAST_USED = """
select greatest(
  (select created_at from tenant_profile),
  (select max(last_seen_at) from sessions),
  (select max(last_used_at) from api_keys),
  (select max(last_used_at) from connected_apps),
  (select max(created_at) from jobs where owner_id is not null),
  (select max(at) from audit_events where actor_kind in ('user', 'session', 'api_key', 'oauth')),
  (select max(at) from audit_events where action = 'tenant.active'
    and record_id = (select id from tenant_profile)))
"""
SUBJECT = "Your workspace will be archived in {days} days"
TEXT = """Nobody has used your workspace since {since:%Y-%m-%d}.

If that stays so, it is archived on {archive_at:%Y-%m-%d}.

Nothing is lost then: everything in it is kept, whole and sealed, and one of its admins wakes it with a link by mail.

To keep it as it is, sign in once before that day. Any use of it, by anybody, is enough.
"""


def look(catalog: Catalog, period_days: int, at: datetime | None = None) -> int:
    """Do what is due in every active tenant that nobody used for a while; in how many something was.

    Who is leaving goes by the dates of the exit, which an archive would stop.
    """
    moment, period = at or now(), timedelta(days=period_days)
    quiet, exits = moment - period + timedelta(days=NOTICES[0]), leaving(catalog)
    found = [
        (home, rows[0][0])
        for home, rows in walk(catalog.homes(State.ACTIVE), LAST_USED, {})
        if home.id not in exits and rows and rows[0][0] is not None and rows[0][0] <= quiet
    ]
    return sum(_climb(catalog, home, active_at, period, moment) for home, active_at in found)


def _climb(catalog: Catalog, home: Home, active_at: datetime, period: timedelta, at: datetime) -> bool:
    """One rung of the ladder, if it is due."""
    notices = told(home, active_at)
    next_one = due(active_at, period, notices.given, at)
    if next_one is None or (next_one.notice is None and notices.last is Sent.WAITING):
        return False
    try:
        if next_one.notice is None:
            why = Decision(Mover.PLATFORM, REASON.format(days=(at - active_at).days))
            ask_to_archive(catalog, home.id, why)
        else:
            said = {"since": active_at, "archive_at": next_one.archive_at}
            subject = SUBJECT.format(days=next_one.notice).replace("in 1 days", "tomorrow")
            key = notices.key(next_one.notice, at)
            tell_admins_once(home, key, ACTION, UNUSED, (subject, TEXT.format(**said)))
    except Refusal as refusal:
        log.warning("inactivity_waits", tenant=str(home.id), reason=refusal.detail)
        return False
    return True
