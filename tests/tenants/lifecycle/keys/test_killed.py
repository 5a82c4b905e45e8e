"""A worker that is killed in the middle of sealing anew: nothing is unreadable, and the rotation ends all the same."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select, update

from tenants.catalog.registry import Catalog
from tenants.foundation.clock import now
from tenants.foundation.settings import Settings
from tenants.isolation.door import db, inside
from tenants.isolation.sealing import keys
from tenants.jobs.carrier import Carrier
from tenants.jobs.dispatcher import Dispatcher
from tenants.jobs.models import Job
from tenants.jobs.sweeper import Sweeper
from tenants.lifecycle.certificates.issuing import certificates
from tenants.lifecycle.keys import rotation
from tests.dying import Doomed, doomed
from tests.jobs import RunJobs, handing_out
from tests.tenants.lifecycle.keys.sealed import fill, filled_once, states, versions_in_use
from tests.workspace import Workspace

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]
ROTATION = "tenants.lifecycle.keys.rotation"
DEATHS = (
    (f"{ROTATION}:reseal_rows", "after", 2),
    (f"{ROTATION}:reseal_file", "before", 1),
    (f"{ROTATION}:reseal_file", "after", 1),
    ("tenants.lifecycle.keys.versions:KeyVersions.destroy", "after", 1),
    ("tenants.lifecycle.certificates.issuing:Certificates.issue", "after", 1),
)


@pytest.fixture
def worker(settings: Settings, tmp_path: Path) -> Iterator[Doomed]:
    with doomed(settings, tmp_path / "doomed.log") as made:
        yield made


def taken_back(workspace: Workspace, job_id: str, catalog: Catalog, carrier: Carrier) -> None:
    """What the sweeper does once the lease of a dead worker is over, in the database and in Redis."""
    carrier.release_heavy(UUID(job_id))
    with inside(workspace.home):
        mine = update(Job).where(Job.kind == rotation.KIND, Job.state == "running")
        db().execute(mine.values(lease_until=now() - timedelta(seconds=1)))
    Sweeper(catalog, carrier).sweep()


@pytest.mark.promise("SEC-2")
def test_a_rotation_ends_though_its_worker_is_killed_at_every_step(  # noqa: PLR0917 - the parts of its world
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs, worker: Doomed, catalog: Catalog,
    carrier: Carrier, dispatcher: Dispatcher,
) -> None:  # fmt: skip
    ours, theirs = fill(new_workspace(), run_jobs), filled_once(neighbour, run_jobs)
    run_jobs()
    job_id = ours.workspace.admin.in_person.post("/keys/rotate").json["id"]
    for each in DEATHS:
        with handing_out(dispatcher):
            worker.dies("job", ours.home.id, *each)
        keys().forget(ours.home.id)
        assert ours.opens() == ours.expected(), each
        taken_back(ours.workspace, job_id, catalog, carrier)
    run_jobs()
    with inside(ours.home):
        job = db().scalars(select(Job).where(Job.kind == rotation.KIND)).one()
        assert (job.state, job.failures) == ("succeeded", len(DEATHS)), job.error
    assert (versions_in_use(ours.home), states(ours.workspace)) == ({2}, {1: "destroyed", 2: "current"})
    assert len(certificates().of(ours.home.id)) == 1
    assert ours.opens() == ours.expected()
    assert theirs.opens() == theirs.expected()
    assert states(theirs.workspace)[1] == "current"
