"""The ladder of a tenant that nobody uses: each notice by mail, in the list and by webhook, and none of it is a use."""

from collections.abc import Callable
from datetime import timedelta
from email import message_from_string, policy
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from tenants.access.caller import SYSTEM, act_as
from tenants.catalog.models import State
from tenants.catalog.registry import Catalog
from tenants.foundation.afterwards import afterwards
from tenants.foundation.clock import now
from tenants.identity.models import Role, UserRole
from tenants.isolation.door import db, inside
from tenants.jobs.models import Job
from tenants.lifecycle.inactivity.looking import look
from tenants.mail.jobs import send_mail
from tenants.mail.postmen import Post, ToFolder, post_office, use_post
from tenants.notices.models import Notice
from tests.jobs import RunJobs
from tests.receivers import running_receiver, set_up, wait_no_longer
from tests.strangers import replying
from tests.workspace import Client, Workspace


def kinds_and_mails(tenant: Workspace) -> tuple[list[str], int]:
    """What is listed, and how many mails were ordered: nobody uses the tenant to find that out."""
    mails = select(func.count()).where(Job.kind == send_mail.name)
    with inside(tenant.home):
        return list(db().scalars(select(Notice.subject).order_by(Notice.id))), db().scalar(mails) or 0


def made_an_admin(tenant: Workspace, user: Client) -> None:
    with inside(tenant.home):
        act_as(SYSTEM)
        role_id = db().scalars(select(Role.id).where(Role.name == "admin")).one()
        db().add(UserRole(user_id=user.user_id, role_id=role_id))


def domain_of(tenant: Workspace) -> str:
    """What all of its addresses end with: other tenants' mails leave the house as well."""
    return f"@{tenant.admin.get('/me').json['tenant']['slug']}.test"


def who_got(folder: Path, subject: str, domain: str) -> set[str]:
    """The addresses of a domain to which a mail of this subject left the house."""
    mails = [message_from_string(each.read_text(), policy=policy.default) for each in folder.glob("*.eml")]
    return {
        str(each["To"]) for each in mails if each["Subject"] == subject and str(each["To"]).endswith(domain)
    }


@pytest.mark.promise("4-20", "RET-2")
def test_each_rung_goes_three_ways_and_deliveries_keep_nobody_awake(
    app: Flask, new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs,
    monkeypatch: pytest.MonkeyPatch, tmp_path,
) -> None:  # fmt: skip
    ours = new_workspace()
    domain, begun = domain_of(ours), now()
    afterwards.settle()
    catalog: Catalog = app.extensions["house"].catalog
    monkeypatch.setattr(
        catalog, "homes", lambda *_: [ours.home] if catalog.state_of(ours.home.id) is State.ACTIVE else []
    )
    before = post_office()
    theirs = kinds_and_mails(neighbour)
    use_post(Post(ToFolder(tmp_path), before.sender, before.public_url))
    with running_receiver() as receiver:
        made = set_up(ours, receiver.url, events=["tenant.inactivity_notice"])
        receiver.answer = replying(500)
        for days in (335.1, 358.2, 364.3):
            look(catalog, 365, begun + timedelta(days=days))
            run_jobs()
        receiver.answer = replying(204)
        wait_no_longer(ours)
        run_jobs()
        ids = [each["id"] for each in receiver.verified(made["secret"])]
        assert len(ids) == 6
        assert len(set(ids)) == 3
    use_post(before)
    listed, mails = kinds_and_mails(ours)
    assert listed == [
        "Your workspace will be archived in 30 days",
        "Your workspace will be archived in 7 days",
        "Your workspace will be archived tomorrow",
    ]
    assert mails == len(listed)
    assert [who_got(tmp_path, each, domain) for each in listed] == [{f"ada{domain}"}] * 3
    look(catalog, 365, begun + timedelta(days=365.4))
    assert catalog.state_of(ours.home.id) is State.FROZEN, (
        "deliveries and their repetitions were no use of it"
    )
    assert kinds_and_mails(neighbour) == theirs


@pytest.mark.promise("4-20", "RET-2")
def test_at_thirty_seven_and_one_days_all_admins_and_the_security_contact_are_told_every_way(
    app: Flask, new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs,
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:  # fmt: skip
    ours, catalog = new_workspace(), app.extensions["house"].catalog
    made_an_admin(ours, ours.manager)
    domain = domain_of(ours)
    contact = {"email": f"security{domain}"}
    assert ours.admin.in_person.put("/security-overview/security-contact", contact).status_code == 200
    monkeypatch.setattr(catalog, "homes", lambda *_: [ours.home])
    before, theirs, subjects = post_office(), kinds_and_mails(neighbour), []
    use_post(Post(ToFolder(tmp_path), before.sender, before.public_url))
    with running_receiver() as receiver:
        made = set_up(ours, receiver.url, events=["tenant.inactivity_notice"])
        afterwards.settle()
        begun = now()
        for days, words in ((30, "in 30 days"), (7, "in 7 days"), (1, "tomorrow")):
            assert look(catalog, 365, begun + timedelta(days=365.1 - days)) == 1
            run_jobs()
            subjects.append(f"Your workspace will be archived {words}")
            told = {f"{each}{domain}" for each in ("ada", "manager", "security")}
            assert who_got(tmp_path, subjects[-1], domain) == told
            assert len(receiver.came) == len(subjects)
        came = receiver.verified(made["secret"])
    use_post(before)
    assert {each["type"] for each in came} == {"tenant.inactivity_notice"}
    for admin in (ours.admin, ours.manager):
        listed = admin.get("/notices?sort=at").json["data"][-3:]
        assert [each["subject"] for each in listed] == subjects
        assert [each["id"] for each in listed] == [each["id"] for each in came]
    assert ours.sales.get("/notices").status_code == 403
    assert kinds_and_mails(neighbour) == theirs
