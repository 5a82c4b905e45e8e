"""Files of attachments leave in the bundle as they were attached, are checked there, and come back sealed anew."""

import hashlib
import json
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import frictionless
import pytest
from sqlalchemy import delete

from tenants.access.caller import SYSTEM, act_as
from tenants.attachments.models import Attachment
from tenants.isolation.door import db, inside
from tenants.isolation.files import files, store_sealed
from tenants.portability import files as bundled
from tenants.portability.arriving import bring_in
from tenants.portability.comparing import content_of, differences
from tenants.portability.formats import Format
from tenants.portability.taking_out import take_out
from tenants.portability.verifying import verify
from tenants.provisioning.birth import Nursery
from tests.attaching import attached, raw
from tests.jobs import RunJobs
from tests.tenants.portability.files.contents import CONTENTS, contents, names
from tests.workspace import Workspace


@pytest.mark.promise("EXP-1", "EXP-4")
@pytest.mark.parametrize("format_", [Format.CSV, Format.JSONL])
def test_files_leave_and_come_back_as_they_were(
    source: Workspace, neighbour: Workspace, nursery: Nursery, tmp_path: Path, format_: Format
) -> None:
    file = tmp_path / "first.zip"
    take_out(source.home, file, format_)
    report = verify(file)
    assert report.holds, report.findings
    third = bring_in(nursery, file, f"files-{format_}").home
    assert contents(source.home) == contents(third) == names()
    assert differences(content_of(third), report.content) == []
    again = tmp_path / "second.zip"
    take_out(third, again, format_)
    with zipfile.ZipFile(file) as one, zipfile.ZipFile(again) as other:
        inner = [each for each in one.namelist() if each.startswith("files/")]
        assert len(inner) == len(CONTENTS)
        assert [one.read(each) for each in inner] == [other.read(each) for each in inner]
    assert differences(verify(again).content, report.content) == []
    with inside(third):
        kept = list(files().list("attachments/"))
    assert len(kept) == len(CONTENTS)
    copy = Workspace(third)
    assert not {raw(source, each) for each in kept} & {raw(copy, each) for each in kept}
    assert not any(b"Zilpzalp" in raw(copy, each) for each in kept)
    assert "neighbour.txt" not in contents(third)
    assert "neighbour.txt" in contents(neighbour.home)


def test_the_description_has_size_and_hash_of_each_file(bundle: Path, neighbour: Workspace) -> None:
    with zipfile.ZipFile(bundle) as archive:
        package = json.loads(archive.read("datapackage.json"))
        said = {each["path"]: each for each in package["resources"] if each["path"].startswith("files/")}
        there = {each: archive.read(each) for each in archive.namelist() if each.startswith("files/")}
    assert said.keys() == there.keys()
    for path, content in there.items():
        assert (said[path]["bytes"], said[path]["hash"]) == (
            len(content),
            f"sha256:{hashlib.sha256(content).hexdigest()}",
        )
    assert {path.rpartition("/")[2] for path in there} == set(names())
    assert not [each for each in said if each in contents(neighbour.home)]
    assert frictionless.Package.validate_descriptor(package).valid


@pytest.mark.soak
def test_an_export_over_http_has_the_files(
    source: Workspace, neighbour: Workspace, run_jobs: RunJobs
) -> None:
    made = source.admin.post("/exports", {"format": "csv"}).json["id"]
    run_jobs()
    assert source.admin.get(f"/exports/{made}").json["status"] == "succeeded"
    content = source.admin.get(f"/exports/{made}/download").data
    assert b"/terms.txt" in content
    assert neighbour.admin.get(f"/exports/{made}/download").status_code == 404


@pytest.mark.parametrize(
    ("chosen", "count"),
    [
        ([{"resource": "contacts"}], 0),
        ([{"resource": "attachments"}], len(CONTENTS)),
        ([{"resource": "attachments", "filters": {"name": "terms.txt"}}], 1),
        ([{"resource": "attachments", "filters": {"resource": "contacts"}}], len(CONTENTS)),
        ([{"resource": "attachments", "filters": {"resource": "deals"}}], 0),
    ],
)
def test_a_partial_export_has_the_files_of_the_rows_that_are_in_it(
    source: Workspace, neighbour: Workspace, run_jobs: RunJobs, tmp_path: Path, chosen: Any, count: int
) -> None:
    asked = source.admin.post("/exports", {"format": "csv", "resources": chosen})
    assert asked.status_code == 202, asked.json
    run_jobs()
    file = tmp_path / "partial.zip"
    file.write_bytes(source.admin.get(f"/exports/{asked.json['id']}/download").data)
    report = verify(file)
    assert report.holds, report.findings
    with zipfile.ZipFile(file) as archive:
        assert len([each for each in archive.namelist() if each.startswith("files/")]) == count
    assert neighbour.admin.get(f"/exports/{asked.json['id']}/download").status_code == 404


@pytest.mark.parametrize("format_", [Format.PARQUET, Format.SQLITE])
def test_files_leave_in_every_format(
    source: Workspace, neighbour: Workspace, tmp_path: Path, format_: Format
) -> None:
    file = tmp_path / "other.zip"
    take_out(source.home, file, format_)
    report = verify(file)
    assert report.holds, report.findings
    with zipfile.ZipFile(file) as archive:
        inner = [each for each in archive.namelist() if each.startswith("files/")]
        assert {each.rpartition("/")[2]: archive.read(each) for each in inner} == names()
    assert "neighbour.txt" in contents(neighbour.home)


def test_more_files_than_are_asked_for_at_once_all_come_along(
    new_workspace: Callable[[], Workspace],
    neighbour: Workspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bundled, "AT_ONCE", 2)
    tenant = new_workspace()
    record = tenant.admin.post("/contacts", {"last_name": "Many"}).json["id"]
    for number in range(5):
        attached(tenant.admin, "contacts", record, name=f"{number}.txt")
    file = tmp_path / "bundle.zip"
    take_out(tenant.home, file, Format.CSV)
    assert verify(file).holds
    with zipfile.ZipFile(file) as archive:
        assert len([each for each in archive.namelist() if each.startswith("files/")]) == 5
    with inside(tenant.home):
        act_as(SYSTEM)
        db().connection().execute(delete(Attachment.__table__))  # type: ignore[arg-type]
    take_out(tenant.home, file, Format.CSV)
    assert verify(file).holds
    assert "0.txt" not in contents(neighbour.home)


@pytest.mark.soak
def test_memory_does_not_grow_with_the_files(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, nursery: Nursery, tmp_path: Path
) -> None:
    tenant, pieces, piece = new_workspace(), 150, bytes(range(256)) * 4096
    record = tenant.admin.post("/contacts", {"last_name": "Large"}).json["id"]
    made = attached(tenant.admin, "contacts", record)["id"]
    with inside(tenant.home):
        act_as(SYSTEM)
        row = db().get_one(Attachment, UUID(made))
        row.size, row.sha256 = pieces * len(piece), hashlib.sha256(piece * pieces).hexdigest()
        store_sealed(row.file, (piece for _ in range(pieces)))
    file = tmp_path / "large.zip"
    steps: list[Callable[[], Any]] = [
        lambda: take_out(tenant.home, file, Format.CSV),
        lambda: verify(file),
        lambda: bring_in(nursery, file, "large-files"),
    ]
    for each in steps:
        tracemalloc.start()
        try:
            each()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 48 * 1024 * 1024, peak
    assert made not in str(contents(neighbour.home))
