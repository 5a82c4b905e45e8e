"""A copy on its way to the tenant's own bucket: whoever dies meanwhile, a part that arrived is not sent again."""

import hashlib
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pyrage
import pytest
from flask import Flask
from sqlalchemy import update

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.foundation.settings import Settings
from tenants.isolation.door import db, inside
from tenants.isolation.files import files
from tenants.isolation.parts import PART_BYTES
from tenants.jobs.carrier import Carrier
from tenants.jobs.dispatcher import Dispatcher
from tenants.jobs.models import Job
from tenants.jobs.sweeper import Sweeper
from tenants.portability.repeating import KIND, key_of
from tenants.portability.verifying import verify
from tests.attaching import alter, attached
from tests.dying import doomed
from tests.jobs import RunJobs, due_now, handing_out, try_again_now
from tests.s3 import OWN, S3
from tests.workspace import Workspace

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]
UPLOADING, UPLOAD = "tenants.portability.uploading", "tenants.isolation.own_uploads:Upload"
FILE_BYTES = 20 * 1024 * 1024
IDENTITY = pyrage.x25519.Identity.generate()
Kill = Callable[[str, str, int], None]


class DueCopy:
    """A tenant with 40 MiB of files, and a copy of it that is due to go to a bucket of the tenant's own."""

    def __init__(self, tenant: Workspace, s3: S3, bucket: dict[str, str], **said: Any) -> None:
        self.tenant, self._s3, self._prefix = tenant, s3, f"{tenant.home.id.hex}/"
        record = tenant.admin.post("/contacts", {"last_name": "Holder"}).json["id"]
        for number in range(2):
            content = secrets.token_bytes(FILE_BYTES)
            attached(tenant.admin, "contacts", record, name=f"{number}.bin", content=content)
        said = {"name": "Nightly", "cron": "0 2 * * *", "bucket": {**bucket, "prefix": self._prefix}, **said}
        self.schedule = tenant.admin.post("/export-schedules", said).json["id"]

    def begin(self) -> None:
        due_now(self.tenant.home, key_of(self.schedule))

    @property
    def copy(self) -> dict[str, Any]:
        """The copy as the tenant sees it."""
        (found,) = self.tenant.admin.get(f"/exports?schedule_id={self.schedule}").json["data"]
        return dict(found)

    def sent(self) -> Counter[int]:
        """How often each part was sent."""
        asked = (each.partition("?")[2] for each in self._asked("PUT"))
        return Counter(int(parse_qs(each)["partNumber"][0]) for each in asked if "partNumber" in each)

    def _asked(self, method: str) -> list[str]:
        return [
            each for each in self._s3.requests if each.startswith(f"{method} /{OWN}/{self._prefix}freehold-")
        ]

    def open_uploads(self) -> list[dict[str, Any]]:
        found = self._s3.client.list_multipart_uploads(Bucket=OWN, Prefix=self._prefix)
        return list(found.get("Uploads", []))

    def objects(self) -> dict[str, bytes]:
        found = self._s3.client.list_objects_v2(Bucket=OWN, Prefix=self._prefix).get("Contents", [])
        keys = [each["Key"] for each in found]
        return {each: self._s3.client.get_object(Bucket=OWN, Key=each)["Body"].read() for each in keys}

    def stored_exports(self) -> list[str]:
        with inside(self.tenant.home):
            return list(files().list("exports/"))

    def must_be_done(self, folder: Path, *, by_attempt: int = 1) -> None:
        """It is there as it was made, and nothing else is, neither there nor with us."""
        copy, (key, content) = self.copy, *self.objects().items()
        assert copy["status"] == "succeeded", copy
        assert f"freehold-{copy['id']}-{by_attempt}.zip" in key
        assert (len(content), hashlib.sha256(content).hexdigest()) == (copy["size"], copy["sha256"])
        bundle = folder / "bundle.zip"
        bundle.write_bytes(pyrage.decrypt(content, [IDENTITY]) if copy["encrypt_to"] else content)
        report = verify(bundle)
        assert report.holds, report.findings
        assert report.rows == copy["counts"]
        assert (self.open_uploads(), self.stored_exports()) == ([], [])


@pytest.fixture
def due(
    request: pytest.FixtureRequest,
    new_workspace: Callable[[], Workspace],
    run_jobs: RunJobs,
    s3_server: S3,
    own_bucket: dict[str, str],
) -> Iterator[DueCopy]:
    made = DueCopy(new_workspace(), s3_server, own_bucket, **getattr(request, "param", {}))
    run_jobs()
    made.begin()
    yield made
    s3_server.faults.clear()


@pytest.fixture
def kill(  # noqa: PLR0917 - the parts of a world
    app: Flask,
    settings: Settings,
    carrier: Carrier,
    dispatcher: Dispatcher,
    undisturbed: None,
    due: DueCopy,
    tmp_path: Path,
) -> Iterator[Kill]:
    """Has the copy be made by a worker that is killed there; then its lease is over, and so is its place in Redis.

    Heavy jobs of others, which would be handed out to nobody and hold up this one, are left alone.
    """
    with doomed(settings, tmp_path / "doomed.log") as worker:

        def die(at: str, how: str, nth: int) -> None:
            with handing_out(dispatcher):
                worker.dies("job", due.tenant.home.id, at, how, nth)
            with inside(due.tenant.home):
                act_as(SYSTEM)
                mine = update(Job).where(Job.kind == KIND, Job.state == "running").returning(Job.id)
                job_id = db().execute(mine.values(lease_until=now() - timedelta(seconds=1))).scalar_one()
            carrier.release_heavy(job_id)
            Sweeper(app.extensions["house"].catalog, carrier).sweep()

        yield die


PLAIN: dict[str, Any] = {}
ENCRYPTED = {"encrypt_to": [str(IDENTITY.to_public())]}


@pytest.mark.promise("EXP-2")
@pytest.mark.parametrize("due", [PLAIN, ENCRYPTED], ids=["plain", "encrypted"], indirect=True)
def test_a_worker_that_is_killed_again_and_again_sends_no_part_twice(
    due: DueCopy, kill: Kill, neighbour: Workspace, run_jobs: RunJobs, tmp_path: Path
) -> None:
    kill(f"{UPLOADING}:begin_upload", "after", 1)
    made = due.copy
    assert (made["finished_at"], len(due.open_uploads())) == (None, 1)
    kill(f"{UPLOAD}._send", "after", 3)
    assert due.sent() == Counter([1, 2, 3])
    (begun,) = due.open_uploads()
    kill(f"{UPLOAD}._send", "before", 3)
    assert due.sent() == Counter([1, 2, 3, 4, 5])
    assert [each["UploadId"] for each in due.open_uploads()] == [begun["UploadId"]]
    kill(f"{UPLOAD}.fill", "after", 1)
    assert due.copy["finished_at"] is None
    run_jobs()
    assert due.sent() == Counter(range(1, made["size"] // PART_BYTES + 2))
    assert due.copy["sha256"] == made["sha256"]
    due.must_be_done(tmp_path)
    assert neighbour.admin.get(f"/exports/{made['id']}").status_code == 404


def test_a_bucket_that_ended_the_upload_gets_a_new_one(
    due: DueCopy, kill: Kill, neighbour: Workspace, run_jobs: RunJobs, s3_server: S3, tmp_path: Path
) -> None:
    kill(f"{UPLOAD}._send", "after", 2)
    (begun,) = due.open_uploads()
    s3_server.client.abort_multipart_upload(Bucket=OWN, Key=begun["Key"], UploadId=begun["UploadId"])
    run_jobs()
    assert due.sent() == Counter([1, 2, *range(1, 7)])
    due.must_be_done(tmp_path)
    assert neighbour.admin.get("/exports").status_code == 200


def test_a_bucket_that_does_not_say_what_it_has_gets_a_new_upload_and_keeps_no_other(
    due: DueCopy, kill: Kill, neighbour: Workspace, run_jobs: RunJobs, s3_server: S3, tmp_path: Path
) -> None:
    kill(f"{UPLOAD}._send", "after", 2)

    def lists_parts(environ: dict[str, str]) -> bool:
        return environ["REQUEST_METHOD"] == "GET" and "uploadId" in environ["QUERY_STRING"]

    s3_server.fail(lists_parts)
    run_jobs()
    assert due.sent() == Counter([1, 2, *range(1, 7)])
    due.must_be_done(tmp_path)
    assert neighbour.admin.get("/exports").status_code == 200


def test_a_copy_that_was_altered_with_us_is_made_anew_and_leaves_no_upload(
    due: DueCopy, kill: Kill, neighbour: Workspace, run_jobs: RunJobs, tmp_path: Path
) -> None:
    kill(f"{UPLOAD}._send", "after", 2)
    alter(due.tenant, next(each for each in due.stored_exports() if each.endswith("-1")))
    run_jobs()
    assert (due.copy["status"], due.open_uploads(), due.objects()) == ("queued", [], {})
    try_again_now(due.tenant.home)
    run_jobs()
    due.must_be_done(tmp_path, by_attempt=3)
    assert neighbour.admin.get("/exports").status_code == 200


def test_what_was_half_there_goes_with_its_export(
    due: DueCopy, kill: Kill, neighbour: Workspace, run_jobs: RunJobs
) -> None:
    kill(f"{UPLOAD}._send", "after", 1)
    path = f"/exports/{due.copy['id']}"
    assert neighbour.admin.delete(path).status_code == 404
    assert len(due.open_uploads()) == 1
    assert due.tenant.admin.delete(path).status_code == 204
    run_jobs()
    assert (due.open_uploads(), due.objects(), due.stored_exports()) == ([], {}, [])
