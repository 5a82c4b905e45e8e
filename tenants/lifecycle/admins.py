"""What befalls a tenant as a whole is told its admins once, and put on record; and what became of the telling."""

from enum import StrEnum
from uuid import uuid5

import structlog
from sqlalchemy import select

from tenants.access.caller import SYSTEM, act_as
from tenants.audit.models import AuditEvent
from tenants.audit.recording import record_event
from tenants.catalog.registry import Home
from tenants.foundation.errors import Refusal, Unavailable
from tenants.foundation.tables import Source
from tenants.identity.people.addressees import addresses_told
from tenants.isolation.door import db, inside
from tenants.jobs.models import Job, JobState
from tenants.lifecycle.letters import Letter
from tenants.lifecycle.once import is_on_record
from tenants.mail.jobs import send_mail
from tenants.mail.posting import hand_over
from tenants.notices.kinds import NoticeKind, notice_kind
from tenants.notices.models import Notice
from tenants.notices.telling import tell
from tenants.webhooks.models import DeliveryState, WebhookDelivery

log = structlog.get_logger(__name__)
#: Declared here, where the web process sees them: webhooks can ask for what the scheduler alone tells.
UNUSED = notice_kind("tenant.inactivity_notice", "Nobody uses the workspace, and it will be archived")
CLOSING = {
    "asked": notice_kind("tenant.closing_asked", "The workspace is to be closed"),
    "retrieval": notice_kind("tenant.closing_retrieval", "The workspace can only be read and exported now"),
    "final": notice_kind("tenant.closing_final", "The workspace is about to be destroyed"),
}
LIFECYCLE = {
    "suspended": notice_kind("tenant.suspended", "The workspace is suspended"),
    "resumed": notice_kind("tenant.resumed", "The workspace is no longer suspended"),
    "thawed": notice_kind("tenant.thawed", "The workspace is back from its archive"),
    "closing_cancelled": notice_kind("tenant.closing_cancelled", "The workspace is not closed after all"),
    "move_begun": notice_kind("tenant.move_begun", "The workspace is being moved to another server"),
    "moved": notice_kind("tenant.moved", "The workspace has moved to another server"),
    "move_given_up": notice_kind("tenant.move_given_up", "The workspace was to move, and stays where it is"),
}
#: The key that a tenant brought, told apart in the names of notices by its state.
KEY_WITHHELD = notice_kind("keys.withheld", "The key that the workspace brought can't be used")
KEY_OPENED = notice_kind("keys.opened", "The key that the workspace brought can be used again")


class Sent(StrEnum):
    """Whether one notice left the house, by mail or by webhook. Whether anybody read it is not ours to know."""

    SOME = "some"
    NONE = "none"
    WAITING = "waiting"


def sent(home: Home, key: str) -> Sent:
    """Whether anything of what was told under this key left the house; inside its tenant.

    That it is shown in the application reaches nobody who stays away. None did if nobody was written to.
    """
    states = _mailed(home, key) | _delivered(key)
    if Sent.SOME in states:
        return Sent.SOME
    return Sent.WAITING if Sent.WAITING in states else Sent.NONE


def _mailed(home: Home, key: str) -> set[Sent]:
    notice = select(AuditEvent.changes).where(AuditEvent.record_id == home.id, AuditEvent.request_id == key)
    said = db().scalars(notice.limit(1)).one()
    mails = said.get("mails", [None, []])[1]
    jobs = select(Job.state).where(
        Job.kind == send_mail.name, Job.arguments["mail_id"].astext.in_([str(each) for each in mails])
    )
    states = {JobState(each) for each in db().scalars(jobs)}
    waiting = {Sent.WAITING} if any(not each.finished for each in states) else set()
    return waiting | ({Sent.SOME} if JobState.SUCCEEDED in states else set())


def _delivered(key: str) -> set[Sent]:
    told = select(WebhookDelivery.state).join(Notice, Notice.id == WebhookDelivery.event_id)
    what = {DeliveryState.DELIVERED: Sent.SOME, DeliveryState.PENDING: Sent.WAITING}
    states = db().scalars(told.where(Notice.key == key)).all()
    return {what.get(DeliveryState(each), Sent.NONE) for each in states}


def tell_admins_once(home: Home, key: str, action: str, kind: NoticeKind, letter: Letter) -> bool:
    """Tell all admins, by a subject and a text, and put that on record: once for each key, however often it is tried.

    Whether this call did it. Notice, mails and record are one transaction of the tenant.
    """
    with inside(home):
        act_as(SYSTEM, request_id=key, source=Source.SYSTEM)
        if is_on_record(home.id, key):
            return False
        notice = tell(kind, *letter, key=key)
        if notice is None:
            return False
        record_event(
            action, "tenant", home.id,
            {"admins_told": [None, len(notice.mails)], "mails": [None, notice.mails]},
        )  # fmt: skip
    return True


def mail_admins_at_once(home: Home, key: str, letter: Letter) -> bool:
    """Mail a subject and a text to the admins of a tenant in which no mail can be kept.

    Of one key it is one message to each of them, however often it is tried: False says that there is use in that.
    """
    with inside(home):
        addresses = addresses_told(None, None)
    for same, each in {address.casefold(): address for address in addresses}.items():
        try:
            hand_over(uuid5(home.id, f"{key} {same}"), to=each, subject=letter[0], text=letter[1])
        except Refusal as refusal:
            log.warning("admins_not_mailed", tenant=str(home.id), key=key, reason=refusal.detail)
            if isinstance(refusal, Unavailable):
                return False  # nobody else's is taken either
    return True
