"""A certificate is a file in storage too: locked where the bucket has Object Lock, and written whatever went wrong."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from structlog.testing import capture_logs

from crm.app import owners_of
from tenants.catalog.models import State
from tenants.catalog.states import Mover
from tenants.foundation.settings import Settings
from tenants.isolation import files as house
from tenants.isolation.storage import Storage, storage_from
from tenants.lifecycle.certificates.documents import verified
from tenants.lifecycle.certificates.filing import LOCKED_FOR, file_what_is_missing
from tenants.lifecycle.certificates.issuing import certificates
from tenants.lifecycle.changing import Decision, move
from tenants.lifecycle.keys.destruction import Destruction
from tenants.lifecycle.keys.versions import key_versions
from tests.attaching import attached
from tests.dying import doomed
from tests.jobs import RunJobs
from tests.s3 import S3
from tests.workspace import Workspace

pytestmark = pytest.mark.soak

CANARY = "Zilpzalp"
NewWorkspace = Callable[[], Workspace]


@pytest.fixture
def ours(new_workspace: NewWorkspace, run_jobs: RunJobs) -> Workspace:
    """A tenant that holds something, and whose key was rotated once."""
    made = new_workspace()
    contact = made.admin.post("/contacts", {"last_name": CANARY, "national_id": CANARY}).json["id"]
    attached(made.admin, "contacts", contact, content=CANARY.encode(), name=f"{CANARY}.txt")
    assert made.admin.in_person.post("/keys/rotate").status_code == 202
    run_jobs()
    return made


@pytest.fixture
def storage(bucket: str) -> Storage:
    return storage_from(f"s3://{bucket}/files")


def versions(s3: S3, bucket: str, tenant: Workspace) -> list[dict[str, Any]]:
    """Every version of every file that is kept of a tenant's certificates."""
    found = s3.client.list_object_versions(Bucket=bucket, Prefix=f"files/certificates/{tenant.home.id}/")
    assert not found.get("DeleteMarkers")
    return list(found.get("Versions", []))


def content(s3: S3, bucket: str, version: dict[str, Any]) -> bytes:
    return bytes(s3.client.get_object(Bucket=bucket, Key=version["Key"])["Body"].read())


@pytest.mark.promise("RET-6")
def test_a_certificate_is_a_file_that_nobody_without_a_right_of_their_own_removes(
    s3: S3, bucket: str, storage: Storage, ours: Workspace, neighbour: Workspace
) -> None:
    (file,) = ours.admin.get("/certificates").json["data"]
    assert file_what_is_missing(certificates(), storage) >= 1
    (kept,) = versions(s3, bucket, ours)
    assert kept["Key"] == f"files/certificates/{ours.home.id}/{file['certificate']['id']}.json"
    assert json.loads(content(s3, bucket, kept)) == file
    assert verified(content(s3, bucket, kept), file["public_key"]) == file["certificate"]
    assert CANARY.encode() not in content(s3, bucket, kept)
    head = s3.client.head_object(Bucket=bucket, Key=kept["Key"])
    issued_at = datetime.fromisoformat(file["certificate"]["issued_at"])
    assert head["ObjectLockMode"] == "GOVERNANCE"
    assert abs((head["ObjectLockRetainUntilDate"] - issued_at - LOCKED_FOR).total_seconds()) < 2
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.client.delete_object(Bucket=bucket, Key=kept["Key"], VersionId=kept["VersionId"])
    assert file_what_is_missing(certificates(), storage) == 0
    assert len(versions(s3, bucket, ours)) == 1
    assert versions(s3, bucket, neighbour) == []
    assert list(storage.for_tenant(ours.home.id).list()) == []


def test_storage_that_is_away_holds_up_no_certificate(
    s3: S3, bucket: str, storage: Storage, ours: Workspace, neighbour: Workspace
) -> None:
    assert len(ours.admin.get("/certificates").json["data"]) == 1
    for method in ("GET", "PUT"):
        s3.fail(lambda environ, method=method: environ["REQUEST_METHOD"] == method)
        with capture_logs() as logs:
            assert file_what_is_missing(certificates(), storage) == 0
        assert [each["event"] for each in logs] == ["certificates_not_filed"]
        assert "AccessDenied" in logs[0]["reason"]
        assert versions(s3, bucket, ours) == []
    assert file_what_is_missing(certificates(), storage) >= 1
    assert len(versions(s3, bucket, ours)) == 1
    assert versions(s3, bucket, neighbour) == []


def test_without_object_lock_it_is_a_file_all_the_same(
    s3: S3, s3_storage_url: str, tmp_path: Path, ours: Workspace, neighbour: Workspace
) -> None:
    (file,) = ours.admin.get("/certificates").json["data"]
    mine = f"certificates/{ours.home.id}/{file['certificate']['id']}.json"
    assert file_what_is_missing(certificates(), storage_from(tmp_path.as_uri())) >= 1
    assert json.loads((tmp_path / mine).read_bytes()) == file
    assert file_what_is_missing(certificates(), storage_from(s3_storage_url)) >= 1
    key = f"{s3_storage_url.removeprefix('s3://freehold/')}/{mine}"
    assert "ObjectLockMode" not in s3.client.head_object(Bucket="freehold", Key=key)
    (tmp_path / mine).unlink()
    assert file_what_is_missing(certificates(), storage_from(tmp_path.as_uri())) == 1, "storage lost it"
    assert not (tmp_path / "certificates" / str(neighbour.home.id)).exists()


@pytest.mark.soak
def test_certificates_outlive_their_tenant_beside_its_files(  # noqa: PLR0917 - the parts of its world
    s3: S3, bucket: str, storage: Storage, ours: Workspace, neighbour: Workspace, settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(house, "_storage", [storage])
    contact = ours.admin.post("/contacts", {"last_name": CANARY}).json["id"]
    attached(ours.admin, "contacts", contact)
    file_what_is_missing(certificates(), storage)
    slug = ours.admin.get("/me").json["tenant"]["slug"]
    catalog = key_versions().catalog
    move(catalog, owners_of(settings), ours.home, State.CLOSING, Decision(Mover.PLATFORM, "It leaves."))
    destruction = Destruction(key_versions(), storage, owners_of(settings))
    made = destruction.destroy(slug, decided_by="ada@example.test", reason="The contract ended.")
    assert made["certificate"]["verified"]["files_left"] == 0
    assert list(storage.for_tenant(ours.home.id).list()) == []
    assert file_what_is_missing(certificates(), storage) == 1
    found = [json.loads(content(s3, bucket, each)) for each in versions(s3, bucket, ours)]
    assert len(found) == 2
    assert made in found
    assert neighbour.admin.get("/contacts").status_code == 200


@pytest.mark.soak
def test_a_round_that_is_killed_leaves_each_whole_or_to_the_next(  # noqa: PLR0917 - the parts of its world
    s3: S3, bucket: str, storage: Storage, ours: Workspace, neighbour: Workspace, settings: Settings, tmp_path: Path,
    without_mark_of_storage: None,
) -> None:  # fmt: skip
    with doomed(settings, tmp_path / "log", storage=f"s3://{bucket}/files") as end:
        end.dies("file", "", "tenants.isolation.storage:Lasting.keep", "before")
        assert storage.lasting_of(ours.home.id).names("certificates/") == set()
        end.dies("file", "", "tenants.isolation.storage:Lasting.keep", "after")
        assert len(storage.lasting_of(ours.home.id).names("certificates/")) == 1
    file_what_is_missing(certificates(), storage)
    (kept,) = versions(s3, bucket, ours)
    assert json.loads(content(s3, bucket, kept)) in ours.admin.get("/certificates").json["data"]
    assert len(storage.lasting_of(ours.home.id).names("certificates/")) == len(certificates().issued())
    assert versions(s3, bucket, neighbour) == []
