"""Notices over HTTP: what the admins were told, and what each of them has read."""

from uuid import UUID

from tenants.access.caller import acting
from tenants.access.policy import find
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.selection import Selection
from tenants.isolation.door import db
from tenants.notices.models import Notice
from tenants.notices.permissions import MARK_NOTICES, READ_NOTICES
from tenants.notices.schemas import NOTICES

notices = Blueprint("notices", __name__, url_prefix="/notices", purpose=Purpose.ACCOUNT)


@notices.page("", NOTICES, may=READ_NOTICES)
def list_notices() -> Selection:
    """What befell the workspace as a whole, the newest first. `read=false` leaves what I have not read yet."""
    return Selection(NOTICES)


@notices.one("/<uuid:notice_id>", NOTICES, may=READ_NOTICES)
def get_notice(notice_id: UUID) -> Selection:
    """One notice; to look at it does not mark it."""
    return Selection(NOTICES, {"id": notice_id}, single=True)


@notices.put("/<uuid:notice_id>/reading", may=MARK_NOTICES)
@notices.answers(200, NOTICES)
def mark_notice_read(notice_id: UUID) -> Notice:
    """Say that I have read it; for others it stays as it is."""
    notice = find(Notice, notice_id, lock=True)
    notice.read(acting().caller.user_id)
    db().flush()
    return notice


@notices.delete("/<uuid:notice_id>/reading", may=MARK_NOTICES)
@notices.answers(200, NOTICES)
def mark_notice_unread(notice_id: UUID) -> Notice:
    """Say that I want to come back to it."""
    notice = find(Notice, notice_id, lock=True)
    notice.unread(acting().caller.user_id)
    db().flush()
    return notice
