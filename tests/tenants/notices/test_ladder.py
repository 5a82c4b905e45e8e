"""The ladder of a tenant that nobody uses: each notice by mail, in the list and by webhook, and none of it is a use."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from tenants.catalog.models import State
from tenants.catalog.registry import Catalog
from tenants.foundation.clock import now
from tenants.isolation.door import db, inside
from tenants.jobs.models import Job
from tenants.lifecycle.inactivity.looking import look
from tenants.mail.jobs import send_mail
from tenants.mail.postmen import Post, ToFolder, post_office, use_post
from tenants.notices.models import Notice
from tests.jobs import RunJobs
from tests.receivers import running_receiver, set_up, wait_no_longer
from tests.strangers import replying
from tests.workspace import Workspace


def kinds_and_mails(tenant: Workspace) -> tuple[list[str], int]:
    """What is listed, and how many mails were ordered: nobody uses the tenant to find that out."""
    mails = select(func.count()).where(Job.kind == send_mail.name)
    with inside(tenant.home):
        return list(db().scalars(select(Notice.subject).order_by(Notice.id))), db().scalar(mails) or 0


@pytest.mark.promise("4-20", "RET-2")
def test_each_rung_goes_three_ways_and_deliveries_keep_nobody_awake(
    app: Flask, new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs,
    monkeypatch: pytest.MonkeyPatch, tmp_path,
) -> None:  # fmt: skip
    ours, begun = new_workspace(), now()
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
    posted = [each.read_text() for each in tmp_path.iterdir()]  # also what other tenants had waiting
    assert mails == len(listed) == sum("Subject: Your workspace will be archived" in each for each in posted)
    look(catalog, 365, begun + timedelta(days=365.4))
    assert catalog.state_of(ours.home.id) is State.FROZEN, (
        "deliveries and their repetitions were no use of it"
    )
    assert kinds_and_mails(neighbour) == theirs
