"""Exports that come back: to our storage or the tenant's own bucket, read back, old ones removed, trouble told."""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pyrage
import pytest
from sqlalchemy import select, update

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.foundation.errors import Unavailable
from tenants.identity.models import User
from tenants.isolation.door import db, inside
from tenants.isolation.files import files
from tenants.jobs.accepting import announce_after_commit
from tenants.jobs.models import Job, Schedule
from tenants.portability.bundling import Bundling, snapshot
from tenants.portability.copying import must_be_whole
from tenants.portability.models import ExportSchedule
from tenants.portability.repeating import key_of
from tenants.portability.verifying import verify
from tenants.portability.watching import tell_of_trouble
from tests.jobs import RunJobs, due_now
from tests.mails import posted
from tests.s3 import OWN, S3, SECRET
from tests.workspace import Workspace, in_both

NIGHTLY = {"name": "Nightly", "cron": "0 2 * * *", "zone": "Europe/Vienna"}


def _objects(s3: S3, prefix: str) -> list[str]:
    found = s3.client.list_objects_v2(Bucket=OWN, Prefix=prefix).get("Contents", [])
    return [each["Key"] for each in found]


def _when_due(tenant: Workspace, schedule_id: str, run_jobs: RunJobs) -> None:
    due_now(tenant.home, key_of(schedule_id))
    run_jobs()


def _copies(tenant: Workspace, schedule_id: str) -> list[dict]:
    return tenant.admin.get(f"/exports?schedule_id={schedule_id}&sort=created_at").json["data"]


@pytest.mark.soak
@pytest.mark.promise("EXP-2", "4-24")
def test_copies_go_to_the_tenants_own_bucket_encrypted_and_whole(
    new_workspace: Callable[[], Workspace],
    neighbour: Workspace,
    run_jobs: RunJobs,
    s3_server: S3,
    own_bucket: dict,
    tmp_path: Path,
) -> None:
    tenant, identity = new_workspace(), pyrage.x25519.Identity.generate()
    tenant.admin.post("/contacts", {"last_name": "Kept elsewhere", "national_id": "sealed-1"})
    said = {
        **NIGHTLY,
        "keep": 2,
        "encrypt_to": [str(identity.to_public())],
        "bucket": {**own_bucket, "prefix": "acme/"},
    }
    answer = tenant.admin.post("/export-schedules", said)
    assert answer.status_code == 201, answer.json
    made, path = answer.json, f"/export-schedules/{answer.json['id']}"
    assert SECRET not in answer.text + tenant.admin.get(path).text
    assert "access_key_id" not in json.dumps(tenant.admin.get(path).json)
    assert made["next_run_at"] > made["created_at"]
    assert _objects(s3_server, "acme/") == []
    for _ in range(3):
        _when_due(tenant, made["id"], run_jobs)
    copies = _copies(tenant, made["id"])
    assert [each["status"] for each in copies] == ["expired", "succeeded", "succeeded"]
    latest = copies[-1]
    (key,) = [each for each in _objects(s3_server, "acme/") if latest["id"] in each]
    assert len(_objects(s3_server, "acme/")) == 2
    content = s3_server.client.get_object(Bucket=OWN, Key=key)["Body"].read()
    assert (hashlib.sha256(content).hexdigest(), len(content)) == (latest["sha256"], latest["size"])
    (tmp_path / "b.zip").write_bytes(pyrage.decrypt(content, [identity]))
    assert verify(tmp_path / "b.zip").holds
    elsewhere = tenant.admin.get(f"/exports/{latest['id']}/download")
    assert (elsewhere.status_code, elsewhere.json["code"]) == (409, "export_elsewhere")
    with inside(tenant.home):
        assert list(files().list()) == []
    assert tenant.admin.get(path).json["last_succeeded_at"]
    assert neighbour.admin.get(path).status_code == 404
    assert in_both("/export-schedules", tenant.admin, neighbour.admin) == []
    assert SECRET not in tenant.admin.get(f"/audit-events?record_id={made['id']}&include=personal").text


def test_copies_with_us_are_kept_as_many_as_was_said(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs
) -> None:
    tenant = new_workspace()
    chosen = [{"resource": "contacts", "filters": {"lifecycle": "customer"}}]
    said = {**NIGHTLY, "keep": 1, "format": "jsonl", "resources": chosen}
    made = tenant.admin.post("/export-schedules", said).json["id"]
    for _ in range(2):
        _when_due(tenant, made, run_jobs)
    first, second = _copies(tenant, made)
    assert (first["status"], second["status"]) == ("expired", "succeeded")
    assert tenant.admin.get(f"/exports/{second['id']}/download").data[:2] == b"PK"
    assert second["counts"] == {"contacts": 0}
    with inside(tenant.home):
        assert len(list(files().list())) == 1
    assert tenant.admin.patch(f"/export-schedules/{made}", {"cron": "0 3 * * 1"}).status_code == 200
    assert neighbour.admin.delete(f"/export-schedules/{made}").status_code == 404
    assert tenant.admin.delete(f"/export-schedules/{made}").status_code == 204
    assert tenant.admin.get(f"/exports/{second['id']}").json["expires_at"]
    with inside(tenant.home):
        assert db().scalars(select(Schedule).where(Schedule.key == key_of(made))).all() == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"bucket": {"name": "nobodys"}}, "bucket"),
        ({"bucket": {"endpoint": "https://10.0.0.1"}}, "bucket"),
        ({"bucket": {"endpoint": "https://169.254.169.254"}}, "bucket"),
        ({"bucket": {"endpoint": "http://192.168.1.1:9000"}}, "bucket"),
        ({"bucket": {"endpoint": "https://127.0.0.1:1"}}, "bucket"),
        ({"cron": "whenever you like"}, "cron"),
        ({"cron": "*/5 * * * *"}, "cron"),
        ({"zone": "Middle/Earth"}, "zone"),
        ({"encrypt_to": ["nobody"]}, "encrypt_to.0"),
        ({"keep": 0}, "keep"),
    ],
)
def test_what_would_not_work_is_refused_when_it_is_said(
    acme: Workspace, neighbour: Workspace, own_bucket: dict, change: dict, field: str
) -> None:
    said = {**NIGHTLY, "bucket": own_bucket, **change}
    said["bucket"] = {**own_bucket, **change.get("bucket", {})}
    before = acme.admin.get("/export-schedules").json["data"]
    refused = acme.admin.post("/export-schedules", said)
    assert (refused.status_code, list(refused.json["errors"])) == (422, [field]), refused.json
    assert SECRET not in refused.text
    assert acme.admin.get("/export-schedules").json["data"] == before
    assert in_both("/export-schedules", acme.admin, neighbour.admin) == []


@pytest.mark.soak
def test_new_keys_are_tried_before_they_count(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, s3_server: S3, own_bucket: dict
) -> None:
    tenant = new_workspace()
    made = tenant.admin.post("/export-schedules", {**NIGHTLY, "bucket": own_bucket}).json["id"]
    s3_server.fail(lambda environ: environ["REQUEST_METHOD"] == "PUT", code="InvalidAccessKeyId")
    new = {"access_key_id": "other", "secret_access_key": "new"}
    refused = tenant.admin.patch(f"/export-schedules/{made}", new)
    s3_server.faults.clear()
    assert refused.json["errors"] == {"bucket": ["The access key is not known there."]}
    assert tenant.admin.patch(f"/export-schedules/{made}", new).status_code == 200
    assert neighbour.admin.patch(f"/export-schedules/{made}", new).status_code == 404


@pytest.mark.soak
def test_a_bucket_that_fails_is_tried_again_with_what_was_made(
    new_workspace: Callable[[], Workspace],
    neighbour: Workspace,
    run_jobs: RunJobs,
    s3_server: S3,
    own_bucket: dict,
) -> None:
    tenant = new_workspace()
    said = {**NIGHTLY, "bucket": {**own_bucket, "prefix": "failing/"}}
    made = tenant.admin.post("/export-schedules", said).json["id"]
    s3_server.fail(lambda environ: environ["REQUEST_METHOD"] == "PUT")
    _when_due(tenant, made, run_jobs)
    s3_server.faults.clear()
    (copy,) = _copies(tenant, made)
    assert (copy["status"], copy["finished_at"]) == ("queued", None)
    assert _objects(s3_server, "failing/") == []
    assert s3_server.left_open(OWN, "failing/") == [f"failing/freehold-{copy['id']}-1.zip"]
    with inside(tenant.home):
        act_as(SYSTEM)
        job = db().get_one(Job, copy["job_id"])
        assert job.failures == 1
        job.run_at = now()
        announce_after_commit()
    run_jobs()
    (again,) = _copies(tenant, made)
    assert (again["id"], again["status"]) == (copy["id"], "succeeded")
    assert again["sha256"] == copy["sha256"]
    assert _objects(s3_server, "failing/") == [f"failing/freehold-{copy['id']}-1.zip"]
    assert s3_server.left_open(OWN, "failing/") == []
    assert neighbour.admin.get(f"/jobs/{copy['job_id']}").status_code == 404


@pytest.mark.promise("EXP-2")
def test_admins_are_told_once_of_what_failed_and_of_what_did_not_come(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs
) -> None:
    tenant = new_workspace()
    made = tenant.admin.post("/export-schedules", NIGHTLY).json["id"]

    def told() -> int:
        with inside(tenant.home):
            act_as(SYSTEM)
            return tell_of_trouble()

    assert told() == 0
    with inside(tenant.home):
        act_as(SYSTEM)
        db().get_one(ExportSchedule, made).created_at = now() - timedelta(days=3)
    assert (told(), told()) == (1, 0)
    with inside(tenant.home):
        address = db().get_one(User, tenant.admin.user_id).email
    (overdue,) = [each for each in posted(tenant, address) if "attention" in each.subject]
    with inside(tenant.home):
        act_as(SYSTEM)
        db().get_one(ExportSchedule, made).owner_id = tenant.sales.user_id
        of_them = update(Schedule).where(Schedule.key == key_of(made)).values(owner_id=tenant.sales.user_id)
        db().connection().execute(of_them)
    _when_due(tenant, made, run_jobs)
    assert (told(), told()) == (1, 0)
    (failed,) = [each for each in posted(tenant, address) if "attention" in each.subject]
    assert "is overdue since" in overdue.text
    assert "you don't see everything" in failed.text
    with inside(neighbour.home):
        act_as(SYSTEM)
        assert tell_of_trouble() == 0


def test_a_copy_that_reads_back_as_something_else_is_not_taken_for_one(
    acme: Workspace, neighbour: Workspace
) -> None:
    with snapshot(acme.home):
        made = Bundling("csv")
        pieces = list(made.pieces())
    must_be_whole(iter(pieces), made.sha256, made.size)
    for altered in (pieces[:-1], [*pieces, b"more"], [b"X" + pieces[0][1:], *pieces[1:]]):
        with pytest.raises(Unavailable, match="something else"):
            must_be_whole(iter(altered), made.sha256, made.size)
    assert neighbour.admin.get("/exports").status_code == 200


def test_only_who_sees_everything_has_copies_made(acme: Workspace, neighbour: Workspace) -> None:
    for client in (acme.manager, acme.sales, neighbour.read_only):
        assert client.post("/export-schedules", NIGHTLY).status_code == 403
        assert client.get("/export-schedules").status_code == 403
