"""A copy for the tenant's own bucket that nobody finishes: nothing of it is left there or with us."""

import io
from collections.abc import Callable, Iterator

import pytest

from tenants.access.caller import SYSTEM, act_as
from tenants.isolation.door import db, inside
from tenants.isolation.files import files
from tenants.jobs.models import Job
from tenants.portability.exporting import expire_exports
from tenants.portability.models import Export
from tenants.portability.repeating import key_of
from tenants.portability.uploading import end_what_nobody_finishes
from tests.jobs import RunJobs, due_now
from tests.s3 import OWN, S3
from tests.workspace import Workspace


class HalfThere:
    """A tenant with a copy that is made, and that its bucket has begun to take and then would not."""

    def __init__(
        self, tenant: Workspace, s3: S3, bucket: dict[str, str], run_jobs: RunJobs, neighbour: Workspace
    ) -> None:
        self.tenant, self.neighbour, self._s3, self._prefix = tenant, neighbour, s3, f"{tenant.home.id.hex}/"
        said = {"name": "Nightly", "cron": "0 2 * * *", "bucket": {**bucket, "prefix": self._prefix}}
        self.schedule = tenant.admin.post("/export-schedules", said).json["id"]
        due_now(tenant.home, key_of(self.schedule))
        s3.fail(lambda environ: environ["REQUEST_METHOD"] == "PUT")
        run_jobs()
        (self.copy,) = tenant.admin.get(f"/exports?schedule_id={self.schedule}").json["data"]
        assert (self.copy["status"], self.left()) == ("queued", (1, 1))

    def left(self) -> tuple[int, int]:
        """How many uploads are open in the bucket, and how many files of exports are with us."""
        with inside(self.tenant.home):
            ours = len(list(files().list("exports/")))
        return len(self._s3.left_open(OWN, self._prefix)), ours

    def end_job(self) -> None:
        """As if its last attempt had failed."""
        with inside(self.tenant.home):
            act_as(SYSTEM)
            db().get_one(Job, self.copy["job_id"]).cancel()

    def swept(self, tenant: Workspace) -> tuple[int, int]:
        """How many copies and how many files the hourly look found to be nobody's."""
        with inside(tenant.home):
            act_as(SYSTEM)
            return end_what_nobody_finishes(), expire_exports()

    def upload_is_known(self) -> bool:
        with inside(self.tenant.home):
            return db().get_one(Export, self.copy["id"]).upload_id is not None

    def bucket_is_away(self) -> None:
        self._s3.fail(lambda environ: environ["REQUEST_METHOD"] == "DELETE")


@pytest.fixture
def half(
    new_workspace: Callable[[], Workspace],
    neighbour: Workspace,
    run_jobs: RunJobs,
    s3_server: S3,
    own_bucket: dict[str, str],
) -> Iterator[HalfThere]:
    run_jobs()
    yield HalfThere(new_workspace(), s3_server, own_bucket, run_jobs, neighbour)
    s3_server.faults.clear()


def test_what_is_half_there_goes_with_its_schedule(half: HalfThere, run_jobs: RunJobs) -> None:
    path = f"/export-schedules/{half.schedule}"
    assert half.neighbour.admin.delete(path).status_code == 404
    assert half.left() == (1, 1)
    assert half.tenant.admin.delete(path).status_code == 204
    assert half.left()[0] == 0
    half.end_job()
    assert half.swept(half.tenant) == (0, 1)
    assert half.left() == (0, 0)


@pytest.mark.soak
def test_what_is_half_there_goes_within_the_hour_once_nobody_tries_any_more(half: HalfThere) -> None:
    assert half.swept(half.tenant) == (0, 0)
    half.end_job()
    assert half.swept(half.neighbour) == (0, 0)
    assert half.left() == (1, 1)
    half.bucket_is_away()
    assert half.swept(half.tenant) == (1, 1)
    assert (half.left(), half.upload_is_known()) == ((1, 0), True)
    assert half.swept(half.tenant) == (1, 0)
    assert (half.left(), half.upload_is_known()) == ((0, 0), False)


@pytest.mark.soak
def test_a_bucket_that_is_away_keeps_no_export_from_being_removed(half: HalfThere, lines: io.BytesIO) -> None:
    half.bucket_is_away()
    path = f"/exports/{half.copy['id']}"
    assert half.neighbour.admin.delete(path).status_code == 404
    assert half.tenant.admin.delete(path).status_code == 204
    assert half.left() == (1, 0)
    assert b"upload_left_in_a_bucket" in lines.getvalue()
