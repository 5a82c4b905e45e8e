"""A schedule that nobody could have written, as a bundle may bring it: it holds up neither its tenant nor any other."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import delete, select

from tenants.foundation.clock import now
from tenants.isolation.door import db, inside
from tenants.jobs.dispatcher import Dispatcher
from tenants.jobs.models import Job, Schedule
from tests import chores
from tests.chores import marks, numbers, order
from tests.jobs import RunJobs
from tests.workspace import Workspace

NEVER = {
    "a day that never comes": {"cron": "0 0 30 2 *"},
    "no cron line": {"cron": "whenever"},
    "no zone": {"zone": "Middle/Earth"},
    "a path": {"zone": "../../etc/passwd"},
    "a folder": {"zone": "Europe"},
    "a name that is no file": {"zone": "x" * 400},
}


@pytest.mark.parametrize("said", NEVER.values(), ids=NEVER.keys())
def test_a_schedule_that_names_no_moment_stands_aside(
    acme: Workspace, neighbour: Workspace, run_jobs: RunJobs, said: dict[str, str]
) -> None:
    key, number = f"tests-{uuid4()}", next(numbers)
    with inside(acme.home):
        db().add(
            Schedule(
                **{"key": key, "kind": "tests.nobodys", "cron": "0 3 * * *", "next_run_at": now(), **said}
            )
        )
    for each in (acme, neighbour):
        order(each.home, chores.do, number=number)
    run_jobs()
    assert (marks(acme.home, number), marks(neighbour.home, number)) == (1, 1)
    with inside(acme.home):
        hostile = db().scalars(select(Schedule).where(Schedule.key == key)).one()
        assert hostile.next_run_at > now() + timedelta(hours=23)
        db().delete(hostile)
        db().execute(delete(Job).where(Job.kind == "tests.nobodys"))


def test_a_tenant_whose_turn_breaks_costs_nobody_else_theirs(
    acme: Workspace, neighbour: Workspace, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, visit = next(numbers), Dispatcher.visit

    def broken(dispatcher: Dispatcher, home, *room):
        if home.id == acme.home.id:
            raise TypeError("as the test wished")
        return visit(dispatcher, home, *room)

    with monkeypatch.context() as patched:
        patched.setattr(Dispatcher, "visit", broken)
        for each in (acme, neighbour):
            order(each.home, chores.do, number=number)
        run_jobs()
        assert (marks(acme.home, number), marks(neighbour.home, number)) == (0, 1)
    order(acme.home, chores.do, number=number)
    run_jobs()
    assert marks(acme.home, number) == 2
