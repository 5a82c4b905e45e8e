"""A copy that reads back as something else is none: it is made again, the good ones stay, and in the end admins know."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from tenants.isolation.door import here
from tenants.isolation.files import files, store_sealed
from tenants.isolation.own_uploads import Upload
from tenants.isolation.storage import Stored
from tenants.jobs.registry import work_named
from tenants.portability import jobs
from tenants.portability.repeating import KIND, key_of
from tests.jobs import RunJobs, due_now, recurs_now, try_again_now
from tests.mails import Letterbox
from tests.s3 import OWN, S3
from tests.workspace import Workspace

pytestmark = pytest.mark.promise("EXP-2", "4-24")
Spoil = Callable[[str, Iterable[bytes]], Stored]


def flipped(content: bytes) -> bytes:
    """As long as it was, and other than it was by one bit."""
    return content[:-1] + bytes([content[-1] ^ 1])


@dataclass
class Copies:
    """The copies of a schedule, which keeps one."""

    tenant: Workspace
    run_jobs: RunJobs
    schedule: str = ""

    def begin(self, **said: Any) -> None:
        """Set the schedule up, and have its first copy made."""
        said = {"name": "Nightly", "cron": "0 2 * * *", "keep": 1, **said}
        made = self.tenant.admin.post("/export-schedules", said)
        assert made.status_code == 201, made.json
        self.schedule = made.json["id"]
        self.due()
        assert self.states() == ["succeeded"]

    def due(self) -> None:
        due_now(self.tenant.home, key_of(self.schedule))
        self.run_jobs()

    def tried_to_the_end(self) -> None:
        """All attempts but the first, none of which counts for a copy."""
        work = work_named(KIND)
        assert work
        for _ in range(work.attempts - 1):
            assert self.states() == ["succeeded", "queued"]
            try_again_now(self.tenant.home)
            self.run_jobs()

    def all(self) -> list[dict[str, Any]]:
        found = self.tenant.admin.get(f"/exports?schedule_id={self.schedule}&sort=created_at").json
        return [dict(each) for each in found["data"]]

    def states(self) -> list[str]:
        return [each["status"] for each in self.all()]

    def last_succeeded_at(self) -> str:
        return str(self.tenant.admin.get(f"/export-schedules/{self.schedule}").json["last_succeeded_at"])

    def is_whole(self, copy: dict[str, Any]) -> bool:
        content = self.content(copy)
        return (hashlib.sha256(content).hexdigest(), len(content)) == (copy["sha256"], copy["size"])

    def content(self, copy: dict[str, Any]) -> bytes:
        return self.tenant.admin.get(f"/exports/{copy['id']}/download").data

    def told(self, letterbox: Letterbox) -> list[str]:
        """What the hourly look had to say to the admin."""
        recurs_now(self.tenant.home, jobs.watch)
        self.run_jobs()
        address = self.tenant.admin.get("/me").json["user"]["email"]
        return letterbox.texts(address, "A scheduled export needs your attention")


@pytest.fixture
def copies(new_workspace: Callable[[], Workspace], run_jobs: RunJobs) -> Copies:
    return Copies(new_workspace(), run_jobs)


def must_count_for_nothing(copies: Copies, letterbox: Letterbox) -> None:
    """No attempt to make a spoiled copy counts; it costs no good one, and admins hear of it."""
    (good,), since = copies.all(), copies.last_succeeded_at()
    copies.due()
    copies.tried_to_the_end()
    assert copies.states() == ["succeeded", "failed"]
    assert copies.last_succeeded_at() == since
    assert copies.is_whole(good)
    (text,) = copies.told(letterbox)
    assert 'The scheduled export "Nightly" failed: The copy was read back as something else' in text


def must_come_right(copies: Copies) -> None:
    copies.due()
    assert copies.states() == ["expired", "failed", "succeeded"]
    assert copies.is_whole(copies.all()[-1])


def altered_where_it_lies(name: str, pieces: Iterable[bytes]) -> Stored:
    stored = store_sealed(name, pieces)
    with files().open_stream(name) as chunks:
        kept = b"".join(chunks)
    files().write(name, [flipped(kept)])
    return stored


def something_else_sealed(name: str, pieces: Iterable[bytes]) -> Stored:
    return store_sealed(name, map(flipped, pieces))


@pytest.mark.parametrize("spoil", [altered_where_it_lies, something_else_sealed])
def test_a_copy_with_us_that_reads_back_as_something_else_is_not_taken_for_one(
    copies: Copies, neighbour: Workspace, letterbox: Letterbox, monkeypatch: pytest.MonkeyPatch, spoil: Spoil
) -> None:
    copies.begin()

    def store(name: str, pieces: Iterable[bytes]) -> Stored:
        ours = here().home.id == copies.tenant.home.id
        return spoil(name, pieces) if ours else store_sealed(name, pieces)

    with monkeypatch.context() as patched:
        patched.setattr(jobs, "store_sealed", store)
        must_count_for_nothing(copies, letterbox)
    must_come_right(copies)
    assert neighbour.admin.get(f"/export-schedules/{copies.schedule}").status_code == 404


@pytest.mark.soak
def test_a_copy_that_a_bucket_gives_back_as_something_else_is_not_taken_for_one(
    copies: Copies, neighbour: Workspace, letterbox: Letterbox, monkeypatch: pytest.MonkeyPatch, s3_server: S3,
    own_bucket: dict[str, str],
) -> None:  # fmt: skip
    prefix, fill, s3 = f"{copies.tenant.home.id.hex}/", Upload.fill, s3_server.client

    def content(copy: dict[str, Any]) -> bytes:
        keys = [each["Key"] for each in s3.list_objects_v2(Bucket=OWN, Prefix=prefix)["Contents"]]
        (key,) = [each for each in keys if copy["id"] in each]
        return bytes(s3.get_object(Bucket=OWN, Key=key)["Body"].read())

    def filled_and_spoiled(upload: Upload, *said: Any) -> None:
        fill(upload, *said)
        if upload.key.startswith(prefix):
            kept = s3.get_object(Bucket=OWN, Key=upload.key)["Body"].read()
            s3.put_object(Bucket=OWN, Key=upload.key, Body=flipped(kept))

    monkeypatch.setattr(copies, "content", content)
    copies.begin(bucket={**own_bucket, "prefix": prefix})
    with monkeypatch.context() as patched:
        patched.setattr(Upload, "fill", filled_and_spoiled)
        must_count_for_nothing(copies, letterbox)
    must_come_right(copies)
    assert neighbour.admin.get(f"/export-schedules/{copies.schedule}").status_code == 404
