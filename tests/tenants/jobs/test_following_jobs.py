"""Whoever asked for a job follows it, acts through it with the rights they have now, and may cancel it."""

from uuid import UUID, uuid4

from tenants.access.caller import SYSTEM, Caller, act_as
from tenants.foundation.tables import Purpose
from tenants.identity.models import User
from tenants.isolation.door import db, inside
from tenants.jobs.registry import job
from tests import chores
from tests.chores import marks, numbers, order, stored
from tests.jobs import RunJobs
from tests.workspace import Client, Workspace


def ask_as(workspace: Workspace, client: Client, kind: str, credential_id: UUID | None, number: int) -> UUID:
    with inside(workspace.home):
        act_as(Caller(kind, "Somebody", workspace.home.id, client.user_id, credential_id, client.team_id))
        return chores.who.later(number=number)


def test_a_job_has_the_rights_that_whoever_asked_has_now(
    acme: Workspace, neighbour: Workspace, run_jobs: RunJobs
) -> None:
    job_id = ask_as(acme, acme.sales, "session", uuid4(), next(numbers))
    run_jobs()
    result = stored(acme.home, job_id).result
    assert result == {"kind": "session", "user": str(acme.sales.user_id), "reach": "own"}
    assert acme.sales.get(f"/jobs/{job_id}").json["owner_id"] == str(acme.sales.user_id)
    assert neighbour.sales.get(f"/jobs/{job_id}").status_code == 404


def test_a_user_who_was_deactivated_stops_their_jobs(
    new_workspace, neighbour: Workspace, run_jobs: RunJobs
) -> None:
    workspace, number = new_workspace(), next(numbers)
    job_id = ask_as(workspace, workspace.sales, "session", uuid4(), number)
    other = ask_as(neighbour, neighbour.sales, "session", uuid4(), number)
    with inside(workspace.home):
        act_as(SYSTEM)
        db().get_one(User, workspace.sales.user_id).state = "inactive"
    run_jobs()
    found = stored(workspace.home, job_id)
    assert (found.state, found.error) == ("failed", "Whoever asked for this may no longer sign in.")
    assert (marks(workspace.home, number), marks(neighbour.home, number)) == (0, 1)
    assert stored(neighbour.home, other).state == "succeeded"


def test_a_key_that_is_no_longer_good_stops_what_it_asked_for(
    acme: Workspace, neighbour: Workspace, run_jobs: RunJobs
) -> None:
    number = next(numbers)
    job_id = ask_as(acme, acme.sales, "api_key", uuid4(), number)
    run_jobs()
    assert (stored(acme.home, job_id).state, marks(acme.home, number)) == ("failed", 0)
    assert neighbour.admin.get(f"/jobs/{job_id}").status_code == 404


def test_progress_is_seen_while_a_job_is_under_way(
    acme: Workspace, neighbour: Workspace, run_jobs: RunJobs
) -> None:
    from tenants.jobs.progress import progress, step

    glimpses = []

    @job(f"tests.progress-{next(numbers)}", purpose=Purpose.OPERATION, steps=True)
    def count() -> None:
        with step():
            # Seen from outside although the step has not committed.
            progress(3, 10, "counting")
            glimpses.append(seen())

    def seen():
        import contextvars

        return contextvars.Context().run(acme.admin.get, f"/jobs/{job_id}").json

    job_id = order(acme.home, count)
    run_jobs()
    (glimpse,) = glimpses
    assert glimpse["status"] == "running"
    assert glimpse["progress"] == {"done": 3, "total": 10, "phase": "counting"}
    assert acme.admin.get(f"/jobs/{job_id}").json["status"] == "succeeded"
    assert neighbour.admin.get(f"/jobs/{job_id}").status_code == 404


def test_a_running_job_that_is_cancelled_stops_at_its_next_step(
    acme: Workspace, neighbour: Workspace, run_jobs: RunJobs
) -> None:
    import contextvars

    from tenants.jobs.progress import step

    first, second = next(numbers), next(numbers)

    @job(f"tests.cancelled-{first}", purpose=Purpose.OPERATION, steps=True)
    def long_work() -> None:
        with step():
            chores.mark(first)
        answer = contextvars.Context().run(acme.admin.delete, f"/jobs/{job_id}")
        assert (answer.status_code, answer.json["status"]) == (200, "running")
        with step():
            chores.mark(second)

    job_id = order(acme.home, long_work)
    run_jobs()
    assert stored(acme.home, job_id).state == "cancelled"
    assert (marks(acme.home, first), marks(acme.home, second)) == (1, 0)
    assert neighbour.admin.delete(f"/jobs/{job_id}").status_code == 404


def test_a_job_that_waits_is_cancelled_by_whoever_asked_and_by_nobody_else(
    acme: Workspace, neighbour: Workspace, run_jobs: RunJobs
) -> None:
    number = next(numbers)
    job_id = ask_as(acme, acme.sales, "session", uuid4(), number)
    path = f"/jobs/{job_id}"
    assert neighbour.admin.delete(path).status_code == 404
    assert acme.manager.get(path).status_code == 404
    assert acme.manager.delete(path).status_code == 404
    assert str(job_id) not in acme.manager.get("/jobs").text
    assert acme.sales.delete(path).json["status"] == "cancelled"
    run_jobs()
    assert marks(acme.home, number) == 0
    again = acme.admin.delete(path)
    assert (again.status_code, again.json["code"]) == (409, "job_ended")
