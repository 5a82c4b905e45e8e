"""Attachments in a bucket with versions: sealed in every version, and gone in every version."""

import uuid
from typing import Any

import pytest

from tenants.isolation import files as house
from tenants.isolation.storage import storage_from
from tests.attaching import CONTENT, attach, attached, purge
from tests.s3 import S3
from tests.workspace import Workspace

CANARY = b"Zilpzalp"


@pytest.fixture
def bucket(s3: S3, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where all tenants' files go during the test: a bucket that keeps versions and locks."""
    name = f"b{uuid.uuid4().hex}"
    s3.client.create_bucket(
        Bucket=name,
        CreateBucketConfiguration={"LocationConstraint": "eu-central-1"},
        ObjectLockEnabledForBucket=True,
    )
    monkeypatch.setattr(house, "_storage", [storage_from(f"s3://{name}/files")])
    return name


def every_version(s3: S3, bucket: str, workspace: Workspace) -> list[bytes]:
    prefix = f"files/t_{workspace.home.id.hex}/"
    found = s3.client.list_object_versions(Bucket=bucket, Prefix=prefix)
    assert not found.get("DeleteMarkers")
    return [_bytes(s3, bucket, each) for each in found.get("Versions", [])]


def _bytes(s3: S3, bucket: str, version: dict[str, Any]) -> bytes:
    found = s3.client.get_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
    return bytes(found["Body"].read())


@pytest.mark.promise("1-28", "RET-6", "4-15")
def test_a_file_is_sealed_in_the_bucket_and_gone_with_every_version(
    s3: S3, bucket: str, acme: Workspace, neighbour: Workspace
) -> None:
    record = acme.admin.post("/contacts", {"last_name": "Bucket"}).json["id"]
    large = CANARY * 1_200_000
    made = [attached(acme.admin, "contacts", record, content=each)["id"] for each in (CONTENT, large)]
    assert acme.admin.get(f"/attachments/{made[1]}/download").data == large
    kept = every_version(s3, bucket, acme)
    assert len(kept) == 2
    assert not any(CANARY in each for each in kept)
    assert acme.admin.delete(f"/attachments/{made[0]}").status_code == 204
    assert acme.admin.delete(f"/contacts/{record}").status_code == 204
    purge(acme, record)
    assert every_version(s3, bucket, acme) == every_version(s3, bucket, neighbour) == []


def test_a_bucket_that_fails_midway_leaves_neither_file_nor_row(
    s3: S3, bucket: str, acme: Workspace, neighbour: Workspace
) -> None:
    record = acme.admin.post("/contacts", {"last_name": "Bucket"}).json["id"]
    s3.fail(lambda environ: "partNumber=2" in environ["QUERY_STRING"])
    answer = attach(acme.admin, "contacts", record, content=b"x" * 20_000_000)
    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
    assert acme.admin.get("/attachments", query_string={"record_id": record}).json["data"] == []
    assert every_version(s3, bucket, acme) == every_version(s3, bucket, neighbour) == []
    assert s3.client.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []


def test_a_bucket_that_is_away_when_a_file_should_go_is_left_to_the_sweep(
    s3: S3, bucket: str, acme: Workspace, neighbour: Workspace
) -> None:
    record = acme.admin.post("/contacts", {"last_name": "Bucket"}).json["id"]
    made = attached(acme.admin, "contacts", record)["id"]
    s3.fail(lambda environ: environ["REQUEST_METHOD"] == "DELETE")
    assert acme.admin.delete(f"/attachments/{made}").status_code == 204
    assert acme.admin.get(f"/attachments/{made}").status_code == 404
    assert len(every_version(s3, bucket, acme)) == 1
    assert every_version(s3, bucket, neighbour) == []
