"""Once a day whoever decides about access is told of the visits that are over; under a gag, once it is over."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.identity.models import User
from tenants.isolation.door import db, inside
from tenants.support_access.digests import SUBJECT, tell_of_visits
from tenants.support_access.models import AccessVisit
from tests.mails import Posted, posted
from tests.staff import Bureau
from tests.workspace import Workspace

pytestmark = pytest.mark.soak


def told(workspace: Workspace) -> tuple[int, list[Posted]]:
    """How many visits the round tells of, and all such mails that there are."""
    with inside(workspace.home):
        act_as(SYSTEM)
        count = tell_of_visits()
        addresses = db().scalars(select(User.email).order_by(User.email)).all()
    mails = [each for address in addresses for each in posted(workspace, address or "")]
    return count, [each for each in mails if each.subject == SUBJECT]


def on_record(workspace: Workspace) -> list[dict[str, Any]]:
    return list(workspace.admin.get("/audit-events?action=access-visits.over").json["data"])


@pytest.mark.promise("1-02")
def test_a_visit_that_is_over_is_told_of_once(bureau: Bureau, tenant: Workspace, other: Workspace) -> None:
    visit = bureau.visit(bureau.granted(tenant))
    assert len(visit.get("/contacts").json["data"]) == 3
    assert told(tenant) == (0, []), "it is not over"
    assert visit.end().status_code == 204
    bureau.settle()
    count, (mail,) = told(tenant)
    assert (count, mail.to) == (1, tenant.admin.get("/me").json["user"]["email"])
    assert "looked at: 3 of contacts" in mail.text
    assert "The list of contacts is empty for them. (ticket: T-1)" in mail.text
    assert "http" not in mail.text
    assert told(tenant) == (0, [mail])
    (event,) = on_record(tenant)
    assert event["record_id"] == visit.id
    assert event["changes"]["looked_at"] == [None, {"contacts": 3}]
    receipt = tenant.admin.get(f"/access-visits/{visit.id}/receipt").json["receipt"]
    assert event["changes"]["root"] == [None, receipt["statement"]["root"]]
    assert on_record(other) == []
    assert told(other) == (0, [])


def test_a_gag_keeps_a_visit_out_of_the_mail_until_it_is_over(
    bureau: Bureau, tenant: Workspace, other: Workspace
) -> None:
    visit = bureau.visit(bureau.granted(tenant))
    visit.end()
    bureau.settle()
    with inside(tenant.home):
        db().get_one(AccessVisit, visit.id).visible_from = now() + timedelta(days=1)
    assert told(tenant) == (0, [])
    assert on_record(tenant) == []
    with inside(tenant.home):
        db().get_one(AccessVisit, visit.id).visible_from = now()
    assert told(tenant)[0] == 1
    assert len(on_record(tenant)) == 1
    assert told(other)[0] == 0
