"""An export that broke off goes on with the files that it had finished; rows come from a new snapshot."""

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from tenants.access.caller import SYSTEM, act_as
from tenants.isolation.door import db, inside
from tenants.isolation.files import files
from tenants.jobs.models import Job
from tenants.portability import parcels
from tenants.portability.bundling import Bundling, snapshot
from tenants.portability.copying import copy_of
from tenants.portability.exporting import expire_exports
from tenants.portability.parcels import Parcels, folder_of
from tenants.portability.repeating import KIND, key_of
from tenants.portability.verifying import Report, verify
from tests.attaching import alter, attached
from tests.jobs import RunJobs, due_now, try_again_now
from tests.workspace import Workspace

pytestmark = pytest.mark.soak

NewWorkspace = Callable[[], Workspace]


@pytest.fixture(autouse=True)
def two_files_to_a_parcel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parcels, "PARCEL_FILES", 2)


def asked_for(tenant: Workspace) -> str:
    """An export that somebody asked for."""
    return str(tenant.admin.post("/exports", {}).json["id"])


def scheduled(tenant: Workspace) -> str:
    """A copy whose moment has come, and which the first attempt of its job has begun."""
    said = {"name": "Nightly", "cron": "0 2 * * *", "zone": "UTC"}
    schedule = tenant.admin.post("/export-schedules", said).json["id"]
    due_now(tenant.home, key_of(schedule))
    with inside(tenant.home):
        act_as(SYSTEM)
        job_id = db().scalars(select(Job.id).where(Job.kind == KIND)).one()
        return str(copy_of(UUID(schedule), job_id).id)


class Broken:
    """A tenant with six files, and an export whose first attempt has finished them and was not heard of again."""

    def __init__(self, tenant: Workspace, begun: Callable[[Workspace], str]) -> None:
        self.tenant = tenant
        record = tenant.admin.post("/contacts", {"last_name": "Holder"}).json["id"]
        self.attachments = [
            attached(tenant.admin, "contacts", record, name=f"{n}.txt", content=f"file {n}\n".encode() * 2000)
            for n in range(6)
        ]
        self.export = begun(tenant)
        with snapshot(tenant.home):
            for _ in Bundling("csv", parcels=Parcels(UUID(self.export), 0)).pieces():
                pass

    def stored(self) -> list[str]:
        with inside(self.tenant.home):
            return [name.removeprefix(folder_of(self.export)) for name in files().list("exports/")]

    def lose(self, *numbers: int) -> None:
        """Take attachments out of storage: whoever reads them again notices."""
        with inside(self.tenant.home):
            for number in numbers:
                files().delete(f"attachments/{self.attachments[number]['id']}")

    def finished(self, run_jobs: RunJobs, folder: Path) -> tuple[Report, Path]:
        run_jobs()
        made = self.tenant.admin.get(f"/exports/{self.export}").json
        assert made["status"] == "succeeded", made
        content = self.tenant.admin.get(f"/exports/{self.export}/download").data
        assert (len(content), hashlib.sha256(content).hexdigest()) == (made["size"], made["sha256"])
        file = folder / "bundle.zip"
        file.write_bytes(content)
        return verify(file), file

    def first_of(self, parcel: int) -> str:
        return self.attachments[parcel * 2]["id"]


@pytest.fixture
def broken(request: pytest.FixtureRequest, new_workspace: NewWorkspace, neighbour: Workspace) -> Broken:
    attached(
        neighbour.admin,
        "contacts",
        neighbour.admin.post("/contacts", {"last_name": "Next door"}).json["id"],
        name="neighbour.txt",
    )
    return Broken(new_workspace(), getattr(request, "param", asked_for))


def contents(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        return {
            each.rpartition("/")[2]: archive.read(each)
            for each in archive.namelist()
            if each.startswith("files/")
        }


@pytest.mark.parametrize("broken", [asked_for, scheduled], indirect=True)
def test_finished_files_are_not_read_again_and_rows_are(
    broken: Broken, neighbour: Workspace, run_jobs: RunJobs, tmp_path: Path
) -> None:
    later = broken.tenant.admin.post("/contacts", {"last_name": "Came after the first attempt"}).json["id"]
    broken.lose(*range(6))
    report, file = broken.finished(run_jobs, tmp_path)
    assert report.holds, report.findings
    assert report.described.missing_files == ()
    assert contents(file) == {f"{n}.txt": f"file {n}\n".encode() * 2000 for n in range(6)}
    with zipfile.ZipFile(file) as archive:
        assert later in archive.read("data/contacts.csv").decode()
    kept = [f"{broken.first_of(n)}-0" for n in range(3)]
    assert broken.stored() == [f"exports/{broken.export}-1", *kept]
    assert neighbour.admin.get(f"/exports/{broken.export}/download").status_code == 404


@pytest.mark.soak
def test_a_file_that_was_removed_meanwhile_is_not_in_the_bundle_and_others_are_not_read_again(
    broken: Broken, neighbour: Workspace, run_jobs: RunJobs, tmp_path: Path
) -> None:
    gone = broken.attachments[2]["id"]
    assert broken.tenant.admin.delete(f"/attachments/{gone}").status_code == 204
    broken.lose(0, 1, 4, 5)
    report, file = broken.finished(run_jobs, tmp_path)
    assert report.holds, report.findings
    assert report.described.missing_files == ()
    assert sorted(contents(file)) == ["0.txt", "1.txt", "3.txt", "4.txt", "5.txt"]
    assert not [each for each in broken.stored() if gone in each]
    assert neighbour.admin.get(f"/attachments/{gone}").status_code == 404


@pytest.mark.soak
def test_a_new_name_is_the_one_that_the_bundle_has(
    broken: Broken, neighbour: Workspace, run_jobs: RunJobs, tmp_path: Path
) -> None:
    renamed = broken.tenant.admin.patch(
        f"/attachments/{broken.attachments[3]['id']}", {"name": "renamed.txt"}
    )
    assert renamed.status_code == 200
    report, file = broken.finished(run_jobs, tmp_path)
    assert report.holds, report.findings
    assert sorted(contents(file)) == ["0.txt", "1.txt", "2.txt", "4.txt", "5.txt", "renamed.txt"]
    assert "neighbour.txt" not in contents(file)


@pytest.mark.soak
def test_a_parcel_that_was_not_finished_does_not_count(
    broken: Broken, neighbour: Workspace, run_jobs: RunJobs, tmp_path: Path
) -> None:
    parcel = f"{folder_of(broken.export)}{broken.first_of(1)}-0"
    with inside(broken.tenant.home):
        files().delete(f"{parcel}.json")
        files().write(parcel, [b"half of it"])
    report, file = broken.finished(run_jobs, tmp_path)
    assert report.holds, report.findings
    assert len(contents(file)) == 6
    assert f"{broken.first_of(1)}-1" in broken.stored()
    assert f"{broken.first_of(1)}-0" not in broken.stored()
    assert neighbour.admin.get(f"/exports/{broken.export}").status_code == 404


@pytest.mark.parametrize("broken", [asked_for, scheduled], indirect=True)
def test_a_parcel_that_was_altered_is_made_anew_by_the_next_attempt(
    broken: Broken, neighbour: Workspace, run_jobs: RunJobs, tmp_path: Path
) -> None:
    parcel = f"{folder_of(broken.export)}{broken.first_of(1)}-0"
    alter(broken.tenant, parcel)
    run_jobs()
    waiting = broken.tenant.admin.get(f"/exports/{broken.export}").json
    assert waiting["status"] == "queued"

    try_again_now(broken.tenant.home)
    report, file = broken.finished(run_jobs, tmp_path)
    assert report.holds, report.findings
    assert len(contents(file)) == 6
    assert neighbour.admin.get(f"/exports/{broken.export}").status_code == 404


def test_parcels_of_an_export_that_is_over_are_removed(
    broken: Broken, neighbour: Workspace, run_jobs: RunJobs
) -> None:
    with inside(broken.tenant.home):
        act_as(SYSTEM)
        assert expire_exports() == 0
    assert len(broken.stored()) == 6
    assert broken.tenant.admin.delete(f"/exports/{broken.export}").status_code == 204
    run_jobs()
    with inside(broken.tenant.home):
        act_as(SYSTEM)
        assert expire_exports() == 6
    assert broken.stored() == []
    assert neighbour.admin.get("/exports").status_code == 200


@pytest.mark.soak
def test_a_finished_export_goes_with_its_parcels(
    broken: Broken, neighbour: Workspace, run_jobs: RunJobs, tmp_path: Path
) -> None:
    broken.finished(run_jobs, tmp_path)
    assert len(broken.stored()) == 4
    assert broken.tenant.admin.delete(f"/exports/{broken.export}").status_code == 204
    assert broken.stored() == []
    assert neighbour.admin.get("/exports").status_code == 200
