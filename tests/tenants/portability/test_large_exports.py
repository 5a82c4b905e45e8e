"""A large tenant is exported in little memory, and a worker that dies under it leaves nothing half there."""

import threading
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import psutil
import pytest
from sqlalchemy import text

from tenants.access.caller import SYSTEM, act_as
from tenants.attachments.models import Attachment
from tenants.catalog.registry import Home
from tenants.foundation.children import Child
from tenants.isolation.door import db, inside
from tenants.isolation.files import files, store_sealed
from tenants.portability.bundling import Bundling, snapshot
from tenants.portability.formats import Format
from tenants.portability.parcels import PARCEL_BYTES, folder_of
from tenants.portability.repeating import key_of
from tenants.portability.verifying import verify
from tests.attaching import attached
from tests.jobs import due_now
from tests.workspace import Workspace

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]
ROWS = 200_000
ENOUGH_TO_BE_CAUGHT = 60_000
MEBIBYTE = 1024 * 1024
LARGE_FILES = 5
MANY = text("""
insert into contacts (id, last_name, first_name, email, lifecycle, do_not_contact, tags, notes, created_at,
  updated_at, version, source)
select gen_random_uuid(), 'Last ' || n, 'First ' || n, n || '@example.com', 'lead', false, array['a', 'b'],
  repeat('note ' || n || ' ', 20), now(), now(), 1, 'import'
from generate_series(1, :rows) as n
""")


def _fill(home: Home, rows: int) -> None:
    with inside(home, patience_seconds=120):
        db().connection().execute(MANY, {"rows": rows})


def _peak_while(work: Callable[[], None]) -> float:
    """Mebibytes by which this process grew at most while it worked."""
    process, over = psutil.Process(), threading.Event()
    before = peak = process.memory_info().rss

    def watch() -> None:
        nonlocal peak
        while not over.wait(0.01):
            peak = max(peak, process.memory_info().rss)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        work()
    finally:
        over.set()
        thread.join()
    return (peak - before) / MEBIBYTE


@pytest.mark.parametrize("format_", list(Format))
def test_memory_does_not_grow_with_the_tenant(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, format_: Format
) -> None:
    tenant = new_workspace()
    _fill(tenant.home, ROWS)

    def export() -> None:
        with snapshot(tenant.home):
            made = Bundling(format_)
            for _ in made.pieces():
                pass
        assert made.counts()["contacts"] == ROWS

    assert _peak_while(export) <= 96
    assert neighbour.admin.get("/contacts?limit=1").status_code == 200


def test_a_worker_killed_under_an_export_leaves_nothing_half_there(
    new_workspace: Callable[[], Workspace],
    neighbour: Workspace,
    processes: dict[str, Child],
    tmp_path: Path,
) -> None:
    tenant = new_workspace()
    _fill(tenant.home, ENOUGH_TO_BE_CAUGHT)
    made = tenant.admin.post("/exports", {}).json["id"]
    _wait_until(lambda: _shown(tenant, made)["progress"]["phase"] == "contacts")
    processes["worker"].kill()
    assert _shown(tenant, made)["finished_at"] is None
    with inside(tenant.home):
        assert list(files().list()) == []
    processes["worker"].start()
    _wait_until(lambda: _shown(tenant, made)["status"] == "succeeded")
    bundle = tmp_path / "bundle.zip"
    bundle.write_bytes(tenant.admin.get(f"/exports/{made}/download").data)
    report = verify(bundle)
    assert report.holds, report.findings
    assert report.rows["contacts"] == ENOUGH_TO_BE_CAUGHT
    with inside(tenant.home):
        assert len(list(files().list())) == 1
    assert neighbour.admin.get(f"/exports/{made}").status_code == 404


def asked_for(tenant: Workspace) -> str:
    """The id of an export that somebody asked for."""
    return str(tenant.admin.post("/exports", {}).json["id"])


def scheduled(tenant: Workspace) -> str:
    """The id of the copy that a worker makes of a schedule whose moment has come."""
    said = {"name": "Nightly", "cron": "0 2 * * *", "zone": "UTC"}
    schedule = tenant.admin.post("/export-schedules", said).json["id"]
    due_now(tenant.home, key_of(schedule))
    path = f"/exports?schedule_id={schedule}"
    _wait_until(lambda: bool(tenant.admin.get(path).json["data"]))
    return str(tenant.admin.get(path).json["data"][0]["id"])


@pytest.mark.parametrize("begin", [asked_for, scheduled])
def test_a_worker_killed_under_an_export_keeps_the_files_that_were_finished(
    new_workspace: Callable[[], Workspace],
    neighbour: Workspace,
    processes: dict[str, Child],
    tmp_path: Path,
    begin: Callable[[Workspace], str],
) -> None:
    """The finished ones are taken from storage while no worker runs: were they read again, they would be missing."""
    tenant = new_workspace()
    ids = _attach_large_files(tenant)
    made = begin(tenant)
    _wait_until(lambda: len(_finished_parcels(tenant, made)) >= 2)
    processes["worker"].kill()
    kept = _finished_parcels(tenant, made)
    assert kept == ids[: len(kept)]
    assert len(kept) < len(ids)
    assert _shown(tenant, made)["finished_at"] is None
    with inside(tenant.home):
        for each in kept:
            files().delete(f"attachments/{each}")
    processes["worker"].start()
    _wait_until(lambda: _shown(tenant, made)["status"] in ("succeeded", "failed"))
    bundle = tmp_path / "bundle.zip"
    with bundle.open("wb") as file:
        for piece in tenant.admin.get(f"/exports/{made}/download").response:
            file.write(piece)
    assert sha256(bundle.read_bytes()).hexdigest() == _shown(tenant, made)["sha256"]
    report = verify(bundle)
    assert report.holds, report.findings
    assert report.described.missing_files == ()
    assert sum(each.path.startswith("files/") for each in report.described.others) == len(ids)
    assert neighbour.admin.get(f"/exports/{made}").status_code == 404


def _attach_large_files(tenant: Workspace) -> list[str]:
    """The ids of files of which each fills a parcel."""
    record = tenant.admin.post("/contacts", {"last_name": "Holder"}).json["id"]
    ids = [
        attached(tenant.admin, "contacts", record, name=f"{number}.bin")["id"]
        for number in range(LARGE_FILES)
    ]
    piece, pieces = bytes(range(256)) * 4096, PARCEL_BYTES // MEBIBYTE
    digest = sha256(piece * pieces).hexdigest()
    with inside(tenant.home, patience_seconds=120):
        act_as(SYSTEM)
        for each in ids:
            row = db().get_one(Attachment, UUID(each))
            row.size, row.sha256 = PARCEL_BYTES, digest
            store_sealed(row.file, (piece for _ in range(pieces)))
    return ids


def _finished_parcels(tenant: Workspace, export_id: str) -> list[str]:
    """The attachment that each of the finished parcels begins with."""
    with inside(tenant.home):
        names = [name for name in files().list(folder_of(export_id)) if name.endswith(".json")]
    return [name.removeprefix(folder_of(export_id))[:36] for name in names]


def _shown(tenant: Workspace, export_id: str) -> dict:
    return tenant.admin.get(f"/exports/{export_id}").json


def _wait_until(holds: Callable[[], bool], seconds: float = 240) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "It took too long."
        time.sleep(0.05)
