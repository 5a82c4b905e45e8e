"""What befalls a tenant reaches its admins three ways in one transaction, once, and each of them marks it as read."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

from tenants.access.caller import SYSTEM, act_as
from tenants.audit.models import AuditEvent
from tenants.catalog.models import State
from tenants.catalog.registry import Catalog
from tenants.catalog.states import Mover
from tenants.foundation.clock import now
from tenants.foundation.errors import Refusal
from tenants.identity.models import Role, User, UserRole
from tenants.isolation.door import db, inside
from tenants.lifecycle.admins import Sent, sent, tell_admins_once
from tenants.lifecycle.changing import Decision, change, settle
from tenants.mail.models import Mail
from tenants.notices.models import Notice
from tenants.notices.telling import tell
from tenants.provisioning.birth import Nursery
from tenants.webhooks.models import WebhookDelivery
from tests.jobs import RunJobs
from tests.mails import posted
from tests.receivers import SNOWED, Receiver, deliveries, set_up, snow, wait_no_longer
from tests.strangers import replying
from tests.workspace import Workspace

LETTER = ("It snowed on your roof", "Half a metre, and more to come.")


@dataclass
class Counted:
    notices: int
    mails: int
    deliveries: int


def counted(tenant: Workspace) -> Counted:
    with inside(tenant.home):
        return Counted(
            *(
                db().scalar(select(func.count()).select_from(each)) or 0
                for each in (Notice, Mail, WebhookDelivery)
            )
        )


def subjects(tenant: Workspace, address: str) -> list[str]:
    return [each.subject for each in posted(tenant, address)]


def in_state(app: Flask, nursery: Nursery, tenant: Workspace, state: State) -> None:
    catalog: Catalog = app.extensions["house"].catalog
    with catalog.transaction() as session:
        change(session, tenant.home.id, state, Decision(Mover.OPERATOR, "Test."))
    settle(catalog, nursery.owner_urls, tenant.home.id)
    catalog.forget(tenant.home.id)


def test_one_telling_is_a_notice_a_mail_to_each_admin_and_a_delivery(
    ours: Workspace, new_workspace: Callable[[], Workspace], receiver: Receiver, run_jobs: RunJobs
) -> None:
    theirs = new_workspace()
    before, admin = counted(theirs), ours.admin.get("/me").json["user"]["email"]
    made = set_up(ours, receiver.url)
    with inside(ours.home):
        act_as(SYSTEM)
        holds = Role(name="Half an admin", permissions={"roles:assign": "all"}, source="system")
        db().add(holds)
        db().flush()
        db().add(UserRole(user_id=ours.sales.user_id, role_id=holds.id))
        second = db().get_one(User, ours.sales.user_id).email
        away = db().get_one(User, ours.manager.user_id).email
    notice = snow(ours)
    assert (subjects(ours, admin), subjects(ours, second)) == ([LETTER[0]], [LETTER[0]])
    assert subjects(ours, away) == []
    run_jobs()
    assert [each["id"] for each in receiver.verified(made["secret"])] == [str(notice.id)]
    (shown,) = ours.admin.get("/notices").json["data"]
    assert (shown["subject"], shown["text"], shown["kind"]) == (*LETTER, SNOWED.name)
    assert counted(theirs) == before
    assert theirs.admin.get(f"/notices/{notice.id}").status_code == 404


def test_what_comes_to_nothing_told_nobody(ours: Workspace, neighbour: Workspace, receiver: Receiver) -> None:
    set_up(ours, receiver.url)
    before, theirs = counted(ours), counted(neighbour)

    def tell_and_fail() -> None:
        with inside(ours.home):
            act_as(SYSTEM)
            tell(SNOWED, *LETTER)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        tell_and_fail()
    assert (counted(ours), counted(neighbour)) == (before, theirs)


def test_what_has_a_key_is_told_once_each_way_however_often_it_is_tried(
    ours: Workspace, neighbour: Workspace, receiver: Receiver, run_jobs: RunJobs
) -> None:
    made = set_up(ours, receiver.url)
    told = [tell_admins_once(ours.home, "snow-1", "roof.snow", SNOWED, LETTER) for _ in range(3)]
    assert told == [True, False, False]
    assert snow(ours, key="snow-1") is None
    run_jobs()
    assert counted(ours) == Counted(1, 1, 1)
    assert len(receiver.verified(made["secret"])) == 1
    with inside(ours.home):
        (event,) = db().scalars(select(AuditEvent).where(AuditEvent.action == "roof.snow"))
        (notice,) = db().scalars(select(Notice))
    assert event.changes == {"admins_told": [None, 1], "mails": [None, notice.mails]}
    assert tell_admins_once(neighbour.home, "snow-1", "roof.snow", SNOWED, LETTER)


def test_who_was_told_before_there_were_notices_is_not_told_again(
    ours: Workspace, neighbour: Workspace
) -> None:
    assert tell_admins_once(ours.home, "snow-2", "roof.snow", SNOWED, LETTER)
    with inside(ours.home):
        act_as(SYSTEM)
        db().delete(db().scalars(select(Notice)).one())
    assert not tell_admins_once(ours.home, "snow-2", "roof.snow", SNOWED, LETTER)
    assert tell_admins_once(neighbour.home, "snow-2", "roof.snow", SNOWED, LETTER)


def test_each_admin_marks_for_themselves(ours: Workspace, neighbour: Workspace) -> None:
    with inside(ours.home):
        act_as(SYSTEM)
        role = db().scalars(select(Role.id).where(Role.name == "admin")).one()
        db().add(UserRole(user_id=ours.sales.user_id, role_id=role))
    first, second = snow(ours), snow(ours)
    assert [each["id"] for each in ours.admin.get("/notices").json["data"]] == [str(second.id), str(first.id)]
    path = f"/notices/{first.id}/reading"
    marked = ours.admin.put(path)
    assert marked.status_code == 200, marked.json
    assert marked.json["read"] is True
    at = marked.json["read_at"]
    assert ours.admin.put(path).json["read_at"] == at, "the first time counts"
    assert ours.sales.get(f"/notices/{first.id}").json["read_at"] is None
    assert [each["id"] for each in ours.admin.get("/notices?read=false").json["data"]] == [str(second.id)]
    assert len(ours.sales.get("/notices?read=false").json["data"]) == 2
    assert [each["id"] for each in ours.admin.get(f"/notices?read_at[gte]={at}").json["data"]] == [
        str(first.id)
    ]
    assert ours.sales.put(path).json["read"] is True
    assert ours.admin.delete(path).json["read"] is False
    assert ours.sales.get(f"/notices/{first.id}").json["read"] is True
    assert neighbour.admin.put(path).status_code == 404
    assert ours.manager.put(path).status_code == 403


def test_a_list_is_paged_and_filtered_by_kind_and_day(ours: Workspace, neighbour: Workspace) -> None:
    made = [str(snow(ours).id) for _ in range(3)]
    day = now().isoformat().replace("+00:00", "Z")
    page = ours.admin.get("/notices?limit=2").json
    rest = ours.admin.get(f"/notices?limit=2&cursor={page['next_cursor']}").json
    assert [each["id"] for each in (*page["data"], *rest["data"])] == made[::-1]
    assert len(ours.admin.get(f"/notices?kind={SNOWED.name}&at[lte]={day}").json["data"]) == 3
    assert ours.admin.get(f"/notices?at[gt]={day}").json["data"] == []
    assert ours.admin.get("/notices?kind=secrets.leaked").json["data"] == []
    assert not {each["id"] for each in neighbour.admin.get("/notices").json["data"]} & set(made)


def test_the_security_contact_gets_every_notice_and_hears_of_its_own_end(
    ours: Workspace, neighbour: Workspace
) -> None:
    path, address = "/security-overview/security-contact", "soc@elsewhere.test"
    assert ours.admin.put(path, {"email": address}).json["code"] == "needs_session"
    assert ours.admin.in_person.put(path, {"email": "nobody"}).status_code == 422
    assert ours.admin.in_person.put(path, {"email": address}).json == {"email": address}
    snow(ours)
    snow(neighbour)
    assert subjects(ours, address) == [LETTER[0]]
    assert subjects(neighbour, address) == []
    assert ours.admin.in_person.put(path, {"email": None}).json == {"email": None}
    snow(ours)
    assert subjects(ours, address) == [LETTER[0], "The security contact of your workspace was changed"]
    assert ours.admin.get(path).json == {"email": None}
    assert neighbour.admin.get(path).json == {"email": None}
    assert address not in ours.admin.get("/audit-events?action=security-contact.changed").text
    assert ours.manager.in_person.put(path, {"email": address}).status_code == 403


def test_what_no_mail_and_no_webhook_carried_reached_nobody(
    ours: Workspace, neighbour: Workspace, receiver: Receiver, run_jobs: RunJobs
) -> None:
    """A webhook that took a notice counts as somebody who was reached; that it is listed here does not."""
    with inside(ours.home):
        act_as(SYSTEM)
        for each in db().scalars(select(User)):
            each.email = None

    def reached(key: str) -> Sent:
        with inside(ours.home):
            return sent(ours.home, key)

    tell_admins_once(ours.home, "first", "roof.snow", SNOWED, LETTER)
    assert reached("first") is Sent.NONE
    made = set_up(ours, receiver.url)
    receiver.answer = replying(500)
    tell_admins_once(ours.home, "second", "roof.snow", SNOWED, LETTER)
    run_jobs()
    assert reached("second") is Sent.WAITING
    receiver.answer = replying(204)
    wait_no_longer(ours)
    run_jobs()
    assert reached("second") is Sent.SOME
    receiver.answer = replying(410)
    tell_admins_once(ours.home, "third", "roof.snow", SNOWED, LETTER)
    run_jobs()
    assert reached("third") is Sent.NONE
    assert deliveries(ours, made)[1]["state"] == "failed"
    assert neighbour.admin.get("/notices?kind=webhooks.disabled").json["data"] == []


def test_a_suspended_tenant_is_told_and_a_frozen_one_is_not(
    app: Flask, ours: Workspace, neighbour: Workspace, nursery: Nursery, receiver: Receiver, run_jobs: RunJobs
) -> None:
    set_up(ours, receiver.url)
    in_state(app, nursery, ours, State.SUSPENDED)
    notice = snow(ours)
    run_jobs()
    assert [each["id"] for each in receiver.events()] == [str(notice.id)]
    assert ours.admin.put(f"/notices/{notice.id}/reading").status_code == 200
    refused = ours.admin.in_person.post("/webhooks", {"name": "Late", "url": receiver.url})
    assert (refused.status_code, refused.json["code"]) == (403, "tenant_suspended")
    in_state(app, nursery, ours, State.FROZEN)
    with pytest.raises(Refusal):
        snow(ours)
    in_state(app, nursery, ours, State.ACTIVE)
    assert len(ours.admin.get("/notices").json["data"]) == 1
    assert snow(neighbour) is not None


def test_whoever_asked_is_not_mailed_of_it_and_finds_it_in_the_list(
    ours: Workspace, neighbour: Workspace
) -> None:
    address = ours.admin.get("/me").json["user"]["email"]
    said = {"name": "Nightly", "cron": "0 2 * * *"}
    assert ours.admin.in_person.post("/export-schedules", said).status_code == 201
    assert subjects(ours, address) == []
    (notice,) = ours.admin.get("/notices?kind=export-schedules.begun").json["data"]
    assert "Nightly" in notice["text"]
    assert neighbour.admin.get(f"/notices/{UUID(notice['id'])}").status_code == 404
