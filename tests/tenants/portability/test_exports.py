"""Exports over HTTP: made by a job, downloaded by their own tenant alone, gone when their time has come."""

import hashlib
import io
import os
import sys
import threading
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.foundation.yielding import LAST
from tenants.isolation.door import db, inside
from tenants.isolation.files import files, store_sealed
from tenants.portability import jobs
from tenants.portability.exporting import expire_exports
from tenants.portability.models import Export
from tenants.portability.verifying import verify
from tests.jobs import RunJobs
from tests.workspace import Workspace


def test_an_export_is_made_by_a_job_and_downloaded(
    acme: Workspace, neighbour: Workspace, run_jobs: RunJobs, tmp_path: Path
) -> None:
    contact = acme.admin.post("/contacts", {"last_name": "Exported", "national_id": "sealed-1"}).json
    theirs = neighbour.admin.post("/contacts", {"last_name": "Never in acme's bundle"}).json
    asked = acme.admin.post("/exports", {"format": "csv"})
    assert (asked.status_code, asked.json["status"]) == (202, "queued")
    path = f"/exports/{asked.json['id']}"
    assert asked.headers["Location"] == f"/api/v1{path}"
    early = acme.admin.get(f"{path}/download")
    assert (early.status_code, early.json["code"]) == (409, "export_not_ready")
    run_jobs()
    made = acme.admin.get(path).json
    assert made["status"] == "succeeded"
    assert made["progress"]["phase"]
    content = acme.admin.get(f"{path}/download")
    assert content.status_code == 200
    assert hashlib.sha256(content.data).hexdigest() == made["sha256"]
    assert len(content.data) == made["size"] == int(content.headers["Content-Length"])
    file = tmp_path / "bundle.zip"
    file.write_bytes(content.data)
    report = verify(file)
    assert report.holds, report.findings
    assert report.rows == made["counts"]
    with zipfile.ZipFile(io.BytesIO(content.data)) as archive:
        contacts = archive.read("data/contacts.csv").decode()
    assert contact["id"] in contacts
    assert "sealed-1" in contacts
    assert theirs["id"] not in contacts


def test_an_export_yields_to_everything_else(
    acme: Workspace, neighbour: Workspace, run_jobs: RunJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def watched(*args: Any) -> object:
        seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return store_sealed(*args)

    run_jobs()  # what others left to be exported
    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    monkeypatch.setattr(jobs, "store_sealed", watched)
    made = acme.admin.post("/exports", {}).json["id"]
    run_jobs()
    assert acme.admin.get(f"/exports/{made}").json["status"] == "succeeded"
    assert seen == [LAST if sys.platform == "linux" else before]
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before
    assert neighbour.admin.get(f"/exports/{made}").status_code == 404


def test_a_neighbours_export_does_not_exist(acme: Workspace, neighbour: Workspace, run_jobs: RunJobs) -> None:
    theirs = neighbour.admin.post("/exports", {}).json["id"]
    run_jobs()
    for path in (f"/exports/{theirs}", f"/exports/{theirs}/download"):
        assert acme.admin.get(path).status_code == 404
        assert neighbour.admin.get(path).status_code == 200
    assert acme.admin.delete(f"/exports/{theirs}").status_code == 404
    assert theirs not in [each["id"] for each in acme.admin.get("/exports?limit=200").json["data"]]


def test_only_admins_export_the_workspace(acme: Workspace, neighbour: Workspace) -> None:
    made = acme.admin.post("/exports", {}).json["id"]
    for client in (acme.manager, acme.sales, acme.read_only):
        assert client.post("/exports", {}).status_code == 403
        assert client.get(f"/exports/{made}/download").status_code in (403, 404)
        assert client.delete(f"/exports/{made}").status_code in (403, 404)
    assert neighbour.admin.post("/exports", {"format": "xml"}).status_code == 422


def test_who_exported_and_who_downloaded_is_on_record(
    acme: Workspace, neighbour: Workspace, run_jobs: RunJobs
) -> None:
    made = acme.admin.post("/exports", {}).json["id"]
    run_jobs()
    sha256 = acme.admin.get(f"/exports/{made}").json["sha256"]
    acme.admin.get(f"/exports/{made}/download")
    events = acme.admin.get(f"/audit-events?record_id={made}&sort=at").json["data"]
    assert [each["action"] for each in events] == ["exports.created", "exports.changed", "exports.downloaded"]
    assert {each["actor_id"] for each in events} == {str(acme.admin.user_id)}
    assert events[1]["changes"]["sha256"] == [None, sha256]
    assert neighbour.admin.get(f"/audit-events?record_id={made}").json["data"] == []


@pytest.mark.soak
def test_an_export_expires_and_its_file_is_removed(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs
) -> None:
    tenant = new_workspace()
    made = tenant.admin.post("/exports", {}).json["id"]
    kept = neighbour.admin.post("/exports", {}).json["id"]
    run_jobs()
    with inside(tenant.home):
        act_as(SYSTEM)
        assert expire_exports() == 0
        past = update(Export.__table__).values(expires_at=now() - timedelta(seconds=1))  # type: ignore[arg-type]
        db().connection().execute(past)
    gone = tenant.admin.get(f"/exports/{made}/download")
    assert (gone.status_code, gone.json["code"]) == (409, "export_expired")
    with inside(tenant.home):
        act_as(SYSTEM)
        files().write(f"exports/{made}-9", [b"left by a worker that was overtaken"])
        assert expire_exports() == 2
    with inside(tenant.home):
        assert list(files().list()) == []
    assert tenant.admin.get(f"/exports/{made}").json["status"] == "expired"
    assert neighbour.admin.get(f"/exports/{kept}/download").status_code == 200


def test_a_deleted_export_leaves_no_file_and_no_work(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs
) -> None:
    tenant = new_workspace()
    waiting, made = (tenant.admin.post("/exports", {}).json for _ in range(2))
    assert tenant.admin.delete(f"/exports/{waiting['id']}").status_code == 204
    assert tenant.admin.get(f"/jobs/{waiting['job_id']}").json["status"] == "cancelled"
    run_jobs()
    assert tenant.admin.delete(f"/exports/{made['id']}").status_code == 204
    assert tenant.admin.get(f"/exports/{made['id']}").status_code == 404
    with inside(tenant.home):
        assert list(files().list()) == []
    assert neighbour.admin.get("/exports").status_code == 200


@pytest.mark.parametrize("format_", ["csv", "jsonl"])
def test_what_is_kept_is_sealed(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs, format_: str
) -> None:
    tenant = new_workspace()
    made = tenant.admin.post("/exports", {"format": format_}).json["id"]
    run_jobs()
    with inside(tenant.home):
        (name,) = files().list()
        with files().open_stream(name) as chunks:
            kept = b"".join(chunks)
    assert b"datapackage.json" not in kept
    assert b"datapackage.json" in tenant.admin.get(f"/exports/{made}/download").data
    with inside(neighbour.home):
        assert name not in list(files().list())
