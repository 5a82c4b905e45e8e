"""Somebody looks through who may do what now and then; a mail reminds the admins when nobody has."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.identity.models import TenantProfile, User
from tenants.identity.people.reviewing import AGAIN, ask_for_review
from tenants.isolation.door import db, inside
from tests.mails import posted
from tests.workspace import Workspace


def set_back(workspace: Workspace, **moments: Any) -> None:
    with inside(workspace.home):
        db().execute(update(TenantProfile.__table__).values(moments))


def reminders(workspace: Workspace) -> list[str]:
    """What the round asks for today, by whom it is sent to."""
    with inside(workspace.home):
        act_as(SYSTEM)
        ask_for_review()
        addresses = db().scalars(select(User.email).order_by(User.email)).all()
    told = [each for address in addresses for each in posted(workspace, address or "")]
    return [each.to for each in told if "time to look through" in each.subject]


@pytest.mark.promise("1-33")
def test_admins_are_reminded_when_nobody_looked_and_not_every_day(
    ours: Workspace, neighbour: Workspace
) -> None:
    admin = ours.admin.get("/me").json["user"]["email"]
    assert reminders(ours) == []
    set_back(ours, created_at=now() - timedelta(days=91))
    assert reminders(ours) == [admin]
    assert reminders(ours) == [admin], "no second one on the next day"
    set_back(ours, review_asked_at=now() - AGAIN)
    assert reminders(ours) == [admin, admin]
    assert neighbour.admin.get("/security-overview").json["review"]["reviewed_at"] is None


def test_who_looked_is_on_record_and_ends_the_reminders(ours: Workspace, neighbour: Workspace) -> None:
    set_back(ours, created_at=now() - timedelta(days=91))
    said = ours.admin.in_person.put("/security-overview/review", {"every_days": 30})
    assert said.status_code == 200, said.json
    assert said.json["every_days"] == 30
    assert ours.admin.get("/security-overview").json["review"] == said.json
    assert reminders(ours) == []
    set_back(ours, users_reviewed_at=now() - timedelta(days=31))
    assert len(reminders(ours)) == 1
    (event,) = ours.admin.get("/audit-events?action=users.reviewed").json["data"]
    assert (event["changes"], event["actor_id"]) == ({"every_days": [90, 30]}, str(ours.admin.user_id))
    assert neighbour.admin.get("/audit-events?action=users.reviewed").json["data"] == []


def test_never_is_never_and_programs_look_through_nothing(ours: Workspace, neighbour: Workspace) -> None:
    said = ours.admin.in_person.put("/security-overview/review", {"every_days": None})
    assert (said.json["every_days"], said.json["due_at"]) == (None, None)
    set_back(ours, users_reviewed_at=now() - timedelta(days=5000))
    assert reminders(ours) == []
    assert ours.admin.put("/security-overview/review", {}).json["code"] == "needs_session"
    assert ours.manager.in_person.put("/security-overview/review", {}).status_code == 403
    assert ours.admin.in_person.put("/security-overview/review", {"every_days": 6}).status_code == 422
    assert neighbour.admin.get("/security-overview").json["review"]["every_days"] == 90
