"""A job that is held in a copy of a tenant goes on when somebody says so, and never by itself."""

from uuid import UUID

import pytest
from sqlalchemy import update

from tenants.isolation.door import db, inside
from tenants.jobs.models import Job, JobState
from tests import chores
from tests.chores import marks, numbers, order, stored
from tests.jobs import RunJobs
from tests.workspace import Workspace


def held(workspace: Workspace, number: int) -> UUID:
    job_id = order(workspace.home, chores.do, number=number)
    with inside(workspace.home):
        hold = update(Job).where(Job.id == job_id)
        db().execute(hold.values(state=JobState.HELD, held_state=JobState.RUNNING, attempt=3))
    return job_id


@pytest.mark.soak
def test_a_held_job_is_done_once_it_is_released(
    acme: Workspace, neighbour: Workspace, run_jobs: RunJobs
) -> None:
    number = next(numbers)
    job_id = held(acme, number)
    run_jobs()
    assert marks(acme.home, number) == 0
    assert neighbour.admin.put(f"/jobs/{job_id}/release").status_code == 404
    assert acme.admin.put(f"/jobs/{job_id}/release").json["status"] == "ready"
    run_jobs()
    assert (marks(acme.home, number), stored(acme.home, job_id).state) == (1, "succeeded")


def test_only_what_is_held_is_released(acme: Workspace, neighbour: Workspace, run_jobs: RunJobs) -> None:
    job_id = order(acme.home, chores.do, number=next(numbers))
    run_jobs()
    refused = acme.admin.put(f"/jobs/{job_id}/release")
    assert (refused.status_code, refused.json["code"]) == (409, "job_not_held")
    assert neighbour.admin.put(f"/jobs/{job_id}/release").status_code == 404
