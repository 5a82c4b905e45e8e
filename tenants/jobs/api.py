"""Jobs over HTTP: whoever asked for one sees how far it is and can cancel it."""

from uuid import UUID

from tenants.access.policy import find
from tenants.foundation.tables import Purpose
from tenants.http.blueprint import Blueprint
from tenants.http.selection import Selection
from tenants.isolation.door import db
from tenants.jobs.accepting import announce_after_commit
from tenants.jobs.models import Job
from tenants.jobs.permissions import CANCEL_JOBS, READ_JOBS, RELEASE_JOBS
from tenants.jobs.schemas import JOBS

jobs = Blueprint("jobs", __name__, url_prefix="/jobs", purpose=Purpose.OPERATION)


@jobs.page("", JOBS, may=READ_JOBS)
def list_jobs() -> Selection:
    """Jobs within reach."""
    return Selection(JOBS)


@jobs.one("/<uuid:job_id>", JOBS, may=READ_JOBS)
def get_job(job_id: UUID) -> Selection:
    """One job."""
    return Selection(JOBS, {"id": job_id}, single=True)


@jobs.delete("/<uuid:job_id>", may=CANCEL_JOBS)
@jobs.answers(200, JOBS)
def cancel_job(job_id: UUID) -> Job:
    """Cancel a job: at once when it waits, at its next step when it is being worked on."""
    job = find(Job, job_id, lock=True)
    job.cancel()
    db().flush()
    return job


@jobs.put("/<uuid:job_id>/release", may=RELEASE_JOBS)
@jobs.answers(200, JOBS)
def release_job(job_id: UUID) -> Job:
    """Let a job go on that is held because its tenant is a copy: do so only when the original will not do it."""
    job = find(Job, job_id, lock=True)
    job.release()
    announce_after_commit()
    db().flush()
    return job
