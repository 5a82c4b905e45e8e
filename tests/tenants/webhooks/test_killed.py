"""A worker that is killed around an attempt: nothing is lost, and a receiver that knows ids does nothing twice."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.foundation.settings import Settings
from tenants.isolation.door import db, inside
from tenants.jobs.carrier import Carrier
from tenants.jobs.dispatcher import Dispatcher
from tenants.jobs.models import Job
from tenants.jobs.sweeper import Sweeper
from tests.dying import Doomed, doomed
from tests.jobs import RunJobs, handing_out
from tests.receivers import SNOWED, Receiver, deliveries, running_receiver, set_up, snow
from tests.workspace import Workspace

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]
JOBS = "tenants.webhooks.jobs"
DEATHS = (
    (f"{JOBS}:parcel_of", "after", 1),
    (f"{JOBS}:send", "before", 1),
    (f"{JOBS}:send", "after", 1),
    (f"{JOBS}:note", "after", 1),
)


@pytest.fixture
def worker(settings: Settings, tmp_path: Path) -> Iterator[Doomed]:
    with doomed(settings, tmp_path / "doomed.log") as made:
        yield made


@pytest.fixture
def busy() -> Iterator[Receiver]:
    """What another tenant has told, whose deliveries fall due all the while."""
    with running_receiver() as running:
        yield running


def taken_back(app: Flask, workspace: Workspace, carrier: Carrier) -> None:
    """What the sweeper does once the lease of a dead worker is over."""
    with inside(workspace.home):
        act_as(SYSTEM)
        mine = update(Job).where(Job.kind == "webhooks.deliver", Job.state == "running").returning(Job.id)
        db().execute(mine.values(lease_until=now() - timedelta(seconds=1))).scalar_one()
    Sweeper(app.extensions["house"].catalog, carrier).sweep()


def test_a_delivery_is_made_though_its_worker_is_killed_at_every_step(  # noqa: PLR0917 - the parts of its world
    app: Flask, new_workspace: Callable[[], Workspace], neighbour: Workspace, receiver: Receiver, busy: Receiver,
    run_jobs: RunJobs, worker: Doomed, carrier: Carrier, dispatcher: Dispatcher,
) -> None:  # fmt: skip
    ours, theirs = new_workspace(), new_workspace()
    run_jobs()
    made, made_by_them = (
        set_up(ours, receiver.url, events=[SNOWED.name]),
        set_up(theirs, busy.url, events=[SNOWED.name]),
    )
    notice = snow(ours)
    with inside(ours.home):
        mails = update(Job).where(Job.kind == "mail.send", Job.state == "ready")
        db().execute(mails.values(state="cancelled", finished_at=now()))
    for each in DEATHS:
        snow(theirs)
        with handing_out(dispatcher):
            worker.dies("job", ours.home.id, *each)
        (waiting,) = deliveries(ours, made)
        assert (waiting["state"], waiting["attempts"]) == ("pending", 0), each
        taken_back(app, ours, carrier)
    run_jobs()
    (taken,) = deliveries(ours, made)
    assert (taken["state"], taken["attempts"]) == ("delivered", 1)
    assert [each["id"] for each in receiver.verified(made["secret"])] == [str(notice.id)] * 3
    assert len(busy.verified(made_by_them["secret"])) == len(DEATHS)
    assert len(ours.admin.get(f"/notices?kind={SNOWED.name}&sort=-at&limit=1").json["data"]) == 1
    assert neighbour.admin.get(f"/webhooks/{made['id']}/deliveries").status_code == 404
