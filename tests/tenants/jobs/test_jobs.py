"""Jobs: accepted with the change that asks for them, done once, in turns, as whoever asked."""

import pytest
from sqlalchemy import delete, update

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict
from tenants.foundation.tables import Purpose
from tenants.isolation.door import db, inside
from tenants.jobs.attempts import pause_after
from tenants.jobs.carrier import Carrier, use_carrier
from tenants.jobs.dispatcher import TURN, Dispatcher
from tenants.jobs.models import Job
from tenants.jobs.registry import job
from tenants.jobs.worker import run
from tests import chores
from tests.chores import marks, numbers, order, stored
from tests.jobs import RunJobs, try_again_now
from tests.workspace import Workspace


def test_a_job_is_done_once_and_in_its_own_tenant(
    acme: Workspace, neighbour: Workspace, run_jobs: RunJobs
) -> None:
    ours, theirs = next(numbers), next(numbers)
    order(acme.home, chores.do, number=ours)
    job_id = order(neighbour.home, chores.do, number=theirs)
    run_jobs()
    run_jobs()
    assert (marks(acme.home, ours), marks(neighbour.home, ours)) == (1, 0)
    assert (marks(acme.home, theirs), marks(neighbour.home, theirs)) == (0, 1)
    found = stored(neighbour.home, job_id)
    assert (found.state, found.result, found.attempt) == ("succeeded", {"number": theirs}, 1)


def test_a_transaction_that_fails_asks_for_nothing(
    acme: Workspace, neighbour: Workspace, run_jobs: RunJobs
) -> None:
    number = next(numbers)

    def ask_and_fail() -> None:
        with inside(acme.home):
            act_as(SYSTEM)
            chores.do.later(number=number)
            raise Conflict

    with pytest.raises(Conflict):
        ask_and_fail()
    run_jobs()
    assert (marks(acme.home, number), marks(neighbour.home, number)) == (0, 0)


def test_a_key_has_one_unfinished_job_at_a_time(
    acme: Workspace, neighbour: Workspace, run_jobs: RunJobs
) -> None:
    number = next(numbers)
    work = chores.do.once(f"only {number}")
    first, again = order(acme.home, work, number=number), order(acme.home, work, number=number)
    elsewhere = order(neighbour.home, work, number=number)
    assert (first == again, first == elsewhere) == (True, False)
    run_jobs()
    assert (marks(acme.home, number), marks(neighbour.home, number)) == (1, 1)
    assert order(acme.home, work, number=number) != first
    run_jobs()


def test_a_message_that_arrives_twice_does_its_work_once(
    acme: Workspace, neighbour: Workspace, run_jobs: RunJobs
) -> None:
    number = next(numbers)
    job_id = order(acme.home, chores.do, number=number)
    run_jobs()
    run(acme.home.id.hex, job_id.hex, 1)
    run(neighbour.home.id.hex, job_id.hex, 1)
    assert (marks(acme.home, number), marks(neighbour.home, number)) == (1, 0)


def test_an_attempt_that_was_overtaken_leaves_nothing(
    acme: Workspace, neighbour: Workspace, run_jobs: RunJobs
) -> None:
    number = next(numbers)

    @job(f"tests.overtaken-{number}", purpose=Purpose.OPERATION)
    def overtaken() -> None:
        chores.mark(number)
        db().execute(update(Job).where(Job.id == job_id).values(attempt=Job.attempt + 1))

    job_id = order(acme.home, overtaken)
    beside = order(neighbour.home, chores.do, number=number)
    run_jobs()
    found = stored(acme.home, job_id)
    # Its own change of the token went back with its effects: the lease decides what becomes of it.
    assert (found.state, found.attempt, marks(acme.home, number)) == ("running", 1, 0)
    assert stored(neighbour.home, beside).state == "succeeded"
    with inside(acme.home):
        db().execute(delete(Job).where(Job.id == job_id))


def test_a_refusal_is_shown_and_not_tried_again(
    acme: Workspace, neighbour: Workspace, run_jobs: RunJobs
) -> None:
    number = next(numbers)
    job_id = order(acme.home, chores.refuse, number=number)
    run_jobs()
    read = acme.admin.get(f"/jobs/{job_id}").json
    assert (read["status"], read["error"]) == ("failed", "The shop is closed on Sundays.")
    assert marks(acme.home, number) == 0
    assert neighbour.admin.get(f"/jobs/{job_id}").status_code == 404


def test_what_nobody_foresaw_is_tried_again_and_keeps_its_trace_to_itself(
    acme: Workspace, neighbour: Workspace, run_jobs: RunJobs
) -> None:
    number = next(numbers)
    job_id = order(acme.home, chores.break_something, number=number)
    run_jobs()
    waiting = stored(acme.home, job_id)
    assert (waiting.state, waiting.failures) == ("ready", 1)
    assert waiting.run_at > now()
    try_again_now(acme.home)
    run_jobs()
    read = acme.admin.get(f"/jobs/{job_id}").json
    assert (read["status"], read["failures"]) == ("failed", 2)
    assert "Something went wrong on our side" in read["error"]
    assert "secret" not in str(read)
    assert marks(acme.home, number) == 0
    assert neighbour.admin.get(f"/jobs/{job_id}").status_code == 404


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 2), (2, 8), (3, 32), (4, 128), (5, 512), (6, 900), (50, 900)]
)
def test_each_failure_is_followed_by_a_longer_pause(failures: int, seconds: int) -> None:
    assert 0.8 * seconds <= pause_after(failures) <= 1.2 * seconds


def test_a_small_tenant_gets_its_turn_behind_a_flood(
    acme: Workspace, neighbour: Workspace, run_jobs: RunJobs
) -> None:
    run_jobs()
    flood = [next(numbers) for _ in range(120)]
    with inside(acme.home):
        act_as(SYSTEM)
        for number in flood:
            chores.do.later(number=number)
    small = next(numbers)
    order(neighbour.home, chores.do, number=small)
    before = len(chores.done)
    run_jobs()
    row = chores.done[before:]
    assert row.index((neighbour.home.id, small)) <= 2 * TURN
    assert row.count((neighbour.home.id, small)) == 1
    assert sorted(number for tenant, number in row if tenant == acme.home.id) == flood


def test_a_tenant_has_no_more_in_flight_than_its_cap_and_one_heavy_job(
    acme: Workspace, neighbour: Workspace, run_jobs: RunJobs, carrier: Carrier, app
) -> None:
    run_jobs()
    dispatcher = Dispatcher(app.extensions["house"].catalog, carrier, lease_seconds=30, cap=3)
    for home in (acme.home, neighbour.home):
        for _ in range(5):
            order(home, chores.do, number=next(numbers))
            order(home, chores.haul, number=next(numbers))
    handed_out = [each for _ in range(4) for each in dispatcher.visit(acme.home, 99, 99).attempts]
    kinds = [heavy for _, _, heavy in handed_out]
    assert (kinds.count(False), kinds.count(True)) == (3, 1)
    assert len(dispatcher.visit(neighbour.home, 99, 0).attempts) == TURN
    with inside(acme.home):
        db().execute(update(Job).where(Job.state == "dispatched").values(state="ready", lease_until=None))
    with inside(neighbour.home):
        db().execute(update(Job).where(Job.state == "dispatched").values(state="ready", lease_until=None))
    run_jobs()


def test_a_request_goes_through_while_redis_is_away(
    acme: Workspace, neighbour: Workspace, run_jobs: RunJobs, carrier: Carrier
) -> None:
    run_jobs()  # whoever is due for another reason is not due any more
    number = next(numbers)
    use_carrier(Carrier("unix:///nowhere/redis.sock"))
    try:
        job_id = order(acme.home, chores.do, number=number)
    finally:
        use_carrier(carrier)
    run_jobs()
    assert (stored(acme.home, job_id).state, marks(acme.home, number)) == ("ready", 0)
    order(acme.home, chores.do, number=next(numbers))
    run_jobs()
    assert (marks(acme.home, number), marks(neighbour.home, number)) == (1, 0)


def test_a_job_says_its_purpose_and_has_a_name_of_its_own() -> None:
    with pytest.raises(TypeError, match="purpose"):
        job("tests.aimless")(lambda: None)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="purpose"):
        job("tests.aimless", purpose=None)(lambda: None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="twice"):
        job("chores.do", purpose=Purpose.OPERATION)(lambda: None)
    with pytest.raises(ValueError, match="can't be read"):
        job("tests.sometimes", purpose=Purpose.OPERATION, every="now and then")(lambda: None)
