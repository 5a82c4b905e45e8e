"""Looks whether the keys that tenants brought can be used, and tells their admins when that changes.

What was told last is known by the tenant's own notices. While its key is withheld, no mail can be sealed there: it is
handed over at once, and tried again as long as the mail server takes none.
"""

from uuid import UUID

import structlog
from sqlalchemy import select

from tenants.access.caller import SYSTEM, act_as
from tenants.audit.recording import record_event
from tenants.catalog.models import BroughtKey, Tenant
from tenants.catalog.registry import Catalog, Home, home_of
from tenants.catalog.states import WRITABLE
from tenants.foundation.clock import now
from tenants.foundation.tables import Source
from tenants.isolation.aws_kms import region_of
from tenants.isolation.door import db, inside
from tenants.isolation.turns import one_at_a_time
from tenants.lifecycle.admins import KEY_OPENED, KEY_WITHHELD, mail_admins_at_once
from tenants.lifecycle.attempts import FORESEEN
from tenants.lifecycle.keys.brought import BroughtState, state_of
from tenants.lifecycle.letters import Letter
from tenants.notices.models import Notice
from tenants.notices.telling import tell, tell_unmailed

log = structlog.get_logger(__name__)
ROUND = "keys.watch"
KEY = "brought-key"
#: Stands where the ids of mails would: none was kept.
MAILED = "handed over"
SUBJECTS = {False: "The key of your workspace is withheld", True: "The key of your workspace opens again"}
WITHHELD = """{reason}

What is sealed in your workspace is closed for as long as that is so: whoever asks for it gets 503, and mails and webhooks
wait. Everything else goes on, and nothing is lost.

{undo} GET /api/v1/keys tries the key and says in which state it is:
{key_arn}
"""
UNDO = "The owner of the key can undo it."
NOT_UNDONE = (
    "AWS KMS knows no such key any more. If it was deleted, what is sealed with it stays closed for good."
)
OPENED = """The key that this workspace brought can be used again. What is sealed opens, and what waited for it goes on:
{key_arn}
"""


class BroughtKeys:
    """Every key that a tenant brought. What is seen twice in a row is told, so that a single refusal is not."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._seen: dict[UUID, BroughtState] = {}

    def watch(self, of: UUID | None = None) -> int:
        """Try each, or that of one tenant, and tell what changed; of how many something was told."""
        query = select(Tenant, BroughtKey).join(BroughtKey, BroughtKey.tenant_id == Tenant.id)
        query = query.where(Tenant.state.in_(WRITABLE), *([Tenant.id == of] if of else []))
        with self._catalog.transaction() as session:
            rows = session.execute(query.order_by(Tenant.id))
            found = [(home_of(tenant), key.key_arn, key.role_arn) for tenant, key in rows]
        away: set[str | None] = set()
        return sum(self._look(*each, away) for each in found)

    def _look(self, home: Home, key_arn: str, role_arn: str, away: set[str | None]) -> bool:
        """Try one, unless nobody answers in its region, which says nothing of the key."""
        if region_of(key_arn) in away:
            return False
        try:
            state, reason = state_of(home.id, key_arn, role_arn)
            if state == BroughtState.UNREACHABLE:
                away.add(region_of(key_arn))
                return False
            if self._seen.get(home.id) != state:
                self._seen[home.id] = state
                return False
            return _said(home, key_arn, state, reason)
        except FORESEEN as problem:
            log.warning("key_not_watched", tenant=str(home.id), reason=type(problem).__name__)
            return False


def _said(home: Home, key_arn: str, state: BroughtState, reason: str | None) -> bool:
    """Tell that a key is in another state than was told last; whether anything was told."""
    letter, opens = _letter(key_arn, state, reason), state == BroughtState.ACTIVE
    with inside(home):
        act_as(SYSTEM, request_id=KEY, source=Source.SYSTEM)
        one_at_a_time(KEY)
        latest = _latest()
        before = BroughtState.ACTIVE if latest is None else _state_in(latest)
        if before != state:
            kind = KEY_OPENED if opens else KEY_WITHHELD
            key = f"{KEY} {state} {now().isoformat()}"
            latest = (tell if opens else tell_unmailed)(kind, *letter, key=key)
            record_event(kind.name, "keys", None, {"state": [before, state], "key_arn": [None, key_arn]})
    if latest is not None and not opens and MAILED not in latest.mails:
        _mail(home, latest, letter)
    return before != state


def _mail(home: Home, notice: Notice, letter: Letter) -> None:
    """Killed before it is noted, it is sent again, as the same message."""
    if mail_admins_at_once(home, str(notice.key), letter):
        with inside(home):
            act_as(SYSTEM, request_id=KEY, source=Source.SYSTEM)
            db().get_one(Notice, notice.id).mails = [MAILED]


def _latest() -> Notice | None:
    told = select(Notice).where(Notice.kind.in_([KEY_WITHHELD.name, KEY_OPENED.name]))
    return db().scalars(told.order_by(Notice.at.desc(), Notice.id.desc()).limit(1)).one_or_none()


def _state_in(notice: Notice) -> BroughtState:
    """Which state was told."""
    return BroughtState(str(notice.key).split(" ")[1])


def _letter(key_arn: str, state: BroughtState, reason: str | None) -> Letter:
    if state == BroughtState.ACTIVE:
        return SUBJECTS[True], OPENED.format(key_arn=key_arn)
    undo = NOT_UNDONE if state == BroughtState.DESTROYED else UNDO
    return SUBJECTS[False], WITHHELD.format(reason=reason, undo=undo, key_arn=key_arn)
