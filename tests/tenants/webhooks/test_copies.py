"""What becomes of webhooks where a tenant is copied, and where it is the tenant itself that is put elsewhere."""

import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

from crm.schedule import archive_works_of
from tenants.access.caller import SYSTEM, act_as
from tenants.catalog.registry import Home
from tenants.catalog.states import Mover
from tenants.foundation.errors import Conflict
from tenants.foundation.settings import Settings
from tenants.isolation.door import db, inside
from tenants.lifecycle.archives.keeping import ask_to_archive, ask_to_thaw, go_on
from tenants.lifecycle.changing import Decision
from tenants.notices.models import Notice
from tenants.notices.telling import tell
from tenants.portability.arriving import bring_in
from tenants.portability.comparing import content_of, differences
from tenants.portability.formats import Format
from tenants.portability.taking_out import take_out
from tenants.portability.verifying import verify
from tenants.provisioning.birth import Nursery
from tenants.webhooks.models import Webhook, WebhookDelivery, WebhookState
from tenants.webhooks.registering import change_webhook, rotate_secret
from tests.jobs import RunJobs
from tests.receivers import SNOWED, Receiver, deliveries, set_up, snow, wait_no_longer
from tests.strangers import replying
from tests.workspace import Workspace

WHY = Decision(Mover.OPERATOR, "Nobody works here at the moment.")


def count(home: Home, model: type) -> int:
    with inside(home):
        return db().scalar(select(func.count()).select_from(model)) or 0


@pytest.mark.soak
def test_in_a_copy_webhooks_are_inactive_and_have_no_secret(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, nursery: Nursery, receiver: Receiver,
    run_jobs: RunJobs, tmp_path: Path,
) -> None:  # fmt: skip
    source, file = new_workspace(), tmp_path / "bundle.zip"
    made = set_up(source, receiver.url)
    rotated = source.admin.in_person.post(f"/webhooks/{made['id']}/rotation", {"grace_seconds": 60}).json
    snow(source)
    take_out(source.home, file, Format.JSONL)
    with zipfile.ZipFile(file) as bundle:
        everything = b"".join(bundle.read(name) for name in bundle.namelist())
    for secret in (made["secret"], rotated["secret"]):
        assert secret.removeprefix("whsec_").encode() not in everything
    copy = bring_in(nursery, file, f"copy-{source.home.id.hex[-8:]}").home
    assert differences(content_of(copy), verify(file).content) == []
    assert (count(copy, Notice), count(copy, WebhookDelivery)) == (1, 0)
    with inside(copy):
        act_as(SYSTEM)
        webhook = db().get_one(Webhook, UUID(made["id"]))
        assert (webhook.state, webhook.original_state) == (WebhookState.INACTIVE, WebhookState.ACTIVE)
        assert (webhook.secret, webhook.former_secret) == (None, None)
        with pytest.raises(Conflict, match="stayed behind"):
            change_webhook(webhook, {"state": "active"})
        tell(SNOWED, "It snowed", "On the copy.")
        assert db().scalars(select(WebhookDelivery)).all() == []
        secret = rotate_secret(webhook, timedelta(0))
        assert change_webhook(webhook, {"state": "active"}).original_state is None
        notice = tell(SNOWED, "It snowed", "On the copy.")
    run_jobs()
    assert [each.headers["webhook-id"] for each in receiver.came[1:]] == [str(notice.id)]
    receiver.came = receiver.came[1:]
    assert receiver.verified(secret)
    assert neighbour.admin.get(f"/webhooks/{made['id']}").status_code == 404


@pytest.mark.soak
def test_what_was_on_its_way_goes_on_when_an_archive_comes_back(
    app: Flask, settings: Settings, new_workspace: Callable[[], Workspace], neighbour: Workspace,
    receiver: Receiver, run_jobs: RunJobs,
) -> None:  # fmt: skip
    ours, catalog = new_workspace(), app.extensions["house"].catalog
    made = set_up(ours, receiver.url)
    receiver.answer = replying(500)
    notice = snow(ours)
    run_jobs()
    works = archive_works_of(settings, catalog)
    archive = ask_to_archive(catalog, ours.home.id, WHY)
    go_on(works, archive)
    assert ours.admin.get("/notices").json["code"] == "tenant_archived"
    ask_to_thaw(catalog, ours.home.id, WHY)
    go_on(works, archive)
    receiver.answer = replying(204)
    wait_no_longer(ours)
    run_jobs()
    (taken,) = deliveries(ours, made)
    assert (taken["state"], taken["attempts"]) == ("delivered", 2)
    assert [each["id"] for each in receiver.verified(made["secret"])] == [str(notice.id)] * 2
    assert neighbour.admin.get(f"/webhook-deliveries/{taken['id']}").status_code == 404
