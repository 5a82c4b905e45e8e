"""What Redis forgot and dead workers left is found by the next walk over all tenants."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from tenants.catalog.registry import Catalog, Home
from tenants.foundation.clock import now
from tenants.isolation.door import db, inside
from tenants.isolation.walking import walk
from tenants.jobs.carrier import DUE, Carrier
from tenants.jobs.dispatcher import Dispatcher
from tenants.jobs.models import Job
from tenants.jobs.sweeper import Sweeper
from tests import chores
from tests.chores import marks, numbers, order, stored
from tests.jobs import RunJobs
from tests.workspace import Workspace


@pytest.fixture
def sweeper(app, carrier: Carrier) -> Sweeper:
    return Sweeper(app.extensions["house"].catalog, carrier)


def set_back(home: Home, job_id: UUID, **columns: object) -> None:
    with inside(home):
        db().execute(update(Job).where(Job.id == job_id).values(**columns))


def test_what_was_committed_and_never_announced_is_found(
    acme: Workspace, neighbour: Workspace, run_jobs: RunJobs, carrier: Carrier, sweeper: Sweeper
) -> None:
    number = next(numbers)
    run_jobs()
    for workspace in (acme, neighbour):
        order(workspace.home, chores.do, number=number)
    carrier.redis.flushall()
    run_jobs()
    assert (marks(acme.home, number), marks(neighbour.home, number)) == (0, 0)
    sweeper.sweep()
    run_jobs()
    assert (marks(acme.home, number), marks(neighbour.home, number)) == (1, 1)


def test_an_emptied_redis_is_noticed_at_the_next_turn(
    acme: Workspace, neighbour: Workspace, dispatcher: Dispatcher, carrier: Carrier, run_jobs: RunJobs
) -> None:
    run_jobs()
    dispatcher.emptied.clear()
    for workspace in (acme, neighbour):
        order(workspace.home, chores.do, number=next(numbers))
    carrier.redis.flushall()
    dispatcher.give_turn()
    assert dispatcher.emptied.is_set()
    dispatcher.emptied.clear()
    dispatcher.give_turn()
    assert not dispatcher.emptied.is_set()


def test_a_job_whose_message_was_lost_is_handed_out_again_at_no_cost_to_it(
    new_workspace: Callable[[], Workspace], run_jobs: RunJobs, sweeper: Sweeper, catalog: Catalog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Of these two: leases of others may end at any moment."""
    ours, theirs = new_workspace().home, new_workspace().home
    monkeypatch.setattr(catalog, "homes", lambda *_: [ours, theirs])
    number = next(numbers)
    job_id = order(ours, chores.do, number=number)
    beside = order(theirs, chores.do, number=number)
    set_back(ours, job_id, state="dispatched", attempt=1, lease_until=now() - timedelta(seconds=1))
    set_back(theirs, beside, state="dispatched", attempt=1, lease_until=now() + timedelta(hours=1))
    assert sweeper.sweep().lost == 1
    run_jobs()
    found = stored(ours, job_id)
    assert (found.state, found.attempt, found.failures) == ("succeeded", 2, 0)
    assert stored(theirs, beside).state == "dispatched"
    set_back(theirs, beside, state="ready", lease_until=None)
    run_jobs()


def test_a_job_under_which_its_worker_died_has_failed_once_more(
    acme: Workspace, neighbour: Workspace, run_jobs: RunJobs, sweeper: Sweeper
) -> None:
    number = next(numbers)
    past = now() - timedelta(seconds=1)
    job_id = order(acme.home, chores.do, number=number)
    deadly = order(neighbour.home, chores.break_something, number=number)
    set_back(acme.home, job_id, state="running", attempt=1, lease_until=past)
    set_back(neighbour.home, deadly, state="running", attempt=2, failures=1, lease_until=past)
    sweeper.sweep()
    run_jobs()
    assert (stored(acme.home, job_id).state, stored(acme.home, job_id).failures) == ("succeeded", 1)
    ended = neighbour.admin.get(f"/jobs/{deadly}").json
    assert (ended["status"], ended["failures"]) == ("failed", 2)
    assert ended["error"] == "It was begun 2 times, and each time the process that ran it died."
    assert marks(neighbour.home, number) == 0


@pytest.mark.soak
def test_a_cancelled_job_whose_worker_died_is_not_begun_again(
    acme: Workspace, neighbour: Workspace, run_jobs: RunJobs, sweeper: Sweeper
) -> None:
    number = next(numbers)
    job_id = order(acme.home, chores.do, number=number)
    past = now() - timedelta(seconds=1)
    set_back(acme.home, job_id, state="running", attempt=1, lease_until=past, cancel_requested_at=past)
    sweeper.sweep()
    run_jobs()
    assert (stored(acme.home, job_id).state, marks(acme.home, number)) == ("cancelled", 0)
    assert neighbour.admin.get(f"/jobs/{job_id}").status_code == 404


def test_a_tenant_whose_next_job_is_later_is_due_then(
    acme: Workspace, neighbour: Workspace, run_jobs: RunJobs, carrier: Carrier, sweeper: Sweeper
) -> None:
    run_jobs()
    moment = datetime.now(UTC) + timedelta(minutes=30)
    number = next(numbers)
    job_id = order(acme.home, chores.do.at(moment), number=number)
    carrier.redis.flushall()
    sweeper.sweep()
    run_jobs()
    assert (stored(acme.home, job_id).state, marks(acme.home, number)) == ("ready", 0)
    due = carrier.redis.zscore(DUE, acme.home.id.hex)
    assert due is not None
    assert due <= moment.timestamp() * 1000 + 1000
    acme.admin.delete(f"/jobs/{job_id}")
    assert neighbour.admin.get(f"/jobs/{job_id}").status_code == 404


def test_a_walk_leaves_out_the_tenant_in_which_it_fails(acme: Workspace, neighbour: Workspace) -> None:
    gone = Home(UUID(int=7), "main")
    found = dict(walk([acme.home, gone, neighbour.home], "select current_user", {}))
    assert found == {acme.home: [(acme.home.role,)], neighbour.home: [(neighbour.home.role,)]}
    with inside(acme.home):
        assert db().scalar(text("select current_user")) == acme.home.role
        assert db().scalars(select(Job).where(Job.kind == "nothing of the kind")).first() is None
