"""Jobs: accepted with the change that asks for them, run once, as whoever asked."""

from uuid import UUID

from sqlalchemy import select

from tenants.access.caller import SYSTEM, act_as, acting
from tenants.foundation.tables import Purpose
from tenants.isolation.door import db, inside
from tenants.jobs.models import Job
from tenants.jobs.registry import job
from tests.jobs import RunJobs
from tests.workspace import Workspace

seen: list[tuple[UUID, str, UUID | None]] = []


@job("tests.note", purpose=Purpose.OPERATION)
def note(word: str) -> dict[str, str]:
    from tenants.isolation.door import here

    seen.append((here().home.id, word, acting().caller.user_id))
    return {"word": word}


def test_a_job_runs_once_in_its_own_tenant(acme: Workspace, neighbour: Workspace, run_jobs: RunJobs) -> None:
    for workspace, word in ((acme, "ours"), (neighbour, "theirs")):
        with inside(workspace.home):
            act_as(SYSTEM)
            job_id = note.later(word=word)
    run_jobs()
    run_jobs()
    assert [each for each in seen if each[1] == "ours"] == [(acme.home.id, "ours", None)]
    assert [each for each in seen if each[1] == "theirs"] == [(neighbour.home.id, "theirs", None)]
    with inside(neighbour.home):
        found = db().scalars(select(Job).where(Job.id == job_id)).one()
        assert (found.state, found.result, found.attempt) == ("succeeded", {"word": "theirs"}, 1)
