"""Looks at every tenant for the last time that somebody used it, tells admins in time, and archives at last.

Inactivity archives and never destroys. What counts is people and programs: sessions, keys, connected apps, jobs that
somebody asked for, and what they did by the record, which nobody deletes; and that it came here, or back from an archive.
What the house does by itself doesn't.
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
from tenants.lifecycle.inactivity.periods import terms_of_active

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


def look(catalog: Catalog, usual_days: int | None, at: datetime | None = None) -> int:
    """Do what is due in every active tenant that nobody used for a while; in how many something was.

    `usual_days` is for who has no period of its own, None for never. Who is leaving goes by the dates of the exit,
    which an archive would stop.
    """
    moment, terms, exits = at or now(), terms_of_active(catalog, usual_days), leaving(catalog)
    homes = [home for home in catalog.homes(State.ACTIVE) if home.id in terms and home.id not in exits]
    walked = walk(homes, LAST_USED, {})
    used = {
        home: max(each for each in (*rows[0], terms[home.id].here_since) if each) for home, rows in walked
    }
    ahead = moment + timedelta(days=NOTICES[0])
    quiet = [home for home, active_at in used.items() if active_at + terms[home.id].period <= ahead]
    return sum(_climb(catalog, home, used[home], terms[home.id].period, moment) for home in quiet)


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
