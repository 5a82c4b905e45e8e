"""Files of attachments leave in the bundle as they were attached, are checked there, and come back sealed anew."""

import hashlib
import json
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

import frictionless
import pytest
from sqlalchemy import delete

from tenants.access.caller import SYSTEM, act_as
from tenants.attachments.models import Attachment
from tenants.catalog.registry import Home
from tenants.foundation.errors import Conflict
from tenants.foundation.settings import Settings
from tenants.isolation.door import db, inside
from tenants.isolation.files import files, opened_file, store_sealed
from tenants.isolation.storage import NotStored
from tenants.portability import files as bundled
from tenants.portability.arriving import BundleDamaged, bring_in
from tenants.portability.comparing import content_of, differences
from tenants.portability.files import bring_files_in
from tenants.portability.formats import Format
from tenants.portability.opening import opened_bundle
from tenants.portability.taking_out import take_out
from tenants.portability.verifying import verify
from tenants.provisioning.birth import Nursery
from tests.attaching import attached, raw
from tests.jobs import RunJobs
from tests.workspace import Workspace

CONTENTS = {
    "terms.txt": b"Zilpzalp: what we agreed on.\n",
    "größe 尺寸 👩‍👩‍👧.bin": bytes(range(256)) * 5000,
    "x" * 251 + ".pdf": b"%PDF-1.7\n",
    "-- &'()+,;=@[]^`{}~$!#.txt": b'\\N,"\r\n',
}


@pytest.fixture(scope="module")
def source(new_workspace: Callable[[], Workspace], neighbour: Workspace) -> Workspace:
    tenant = new_workspace()
    record = tenant.admin.post("/contacts", {"last_name": "Holder"}).json["id"]
    for name, content in CONTENTS.items():
        attached(tenant.admin, "contacts", record, name=name, content=content)
    theirs = neighbour.admin.post("/contacts", {"last_name": "Not of this bundle"}).json["id"]
    attached(neighbour.admin, "contacts", theirs, name="neighbour.txt")
    return tenant


@pytest.fixture(scope="module")
def bundle(source: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tests tamper with copies of it."""
    file = tmp_path_factory.mktemp("bundle") / "bundle.zip"
    take_out(source.home, file, Format.CSV)
    return file


def contents(home: Home) -> dict[str, bytes]:
    """The opened files of a tenant by the names of their attachments."""
    with inside(home):
        found = db().query(Attachment).all()
        return {each.name: _opened(each.file) for each in found}


def _opened(name: str) -> bytes:
    with opened_file(name) as chunks:
        return b"".join(chunks)


def names() -> dict[str, bytes]:
    """As they are kept: the family of an emoji loses the marks that join it."""
    return {name.replace("\u200d", ""): content for name, content in CONTENTS.items()}


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


def tampered(bundle: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    with zipfile.ZipFile(bundle) as archive:
        inner = {each: archive.read(each) for each in archive.namelist()}
    change(inner)
    file = tmp_path / "altered.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in inner.items():
            archive.writestr(name, content)
    return file


def _text(inner: dict[str, bytes]) -> str:
    return next(each for each in inner if each.endswith("/terms.txt"))


def _redescribed(inner: dict[str, bytes], path: str, **said: Any) -> None:
    package = json.loads(inner["datapackage.json"])
    resource = next(each for each in package["resources"] if each["path"] == path)
    resource.update(said)
    inner["datapackage.json"] = json.dumps(package, indent=2).encode()


def alter(inner: dict[str, bytes]) -> None:
    inner[_text(inner)] = inner[_text(inner)].replace(b"agreed", b"argued")


def alter_and_hide(inner: dict[str, bytes]) -> None:
    alter(inner)
    hashed = hashlib.sha256(inner[_text(inner)]).hexdigest()
    _redescribed(inner, _text(inner), hash=f"sha256:{hashed}")


def cut(inner: dict[str, bytes]) -> None:
    inner[_text(inner)] = inner[_text(inner)][:-1]


def lose(inner: dict[str, bytes]) -> None:
    del inner[_text(inner)]


def lose_and_hide(inner: dict[str, bytes]) -> None:
    package = json.loads(inner["datapackage.json"])
    package["resources"] = [each for each in package["resources"] if each["path"] != _text(inner)]
    inner["datapackage.json"] = json.dumps(package).encode()
    lose(inner)


def smuggle(inner: dict[str, bytes]) -> None:
    inner["files/elsewhere/evil.exe"] = b"MZ"


def smuggle_and_hide(inner: dict[str, bytes]) -> None:
    smuggle(inner)
    package = json.loads(inner["datapackage.json"])
    hashed = hashlib.sha256(b"MZ").hexdigest()
    package["resources"].append(
        {"name": "evil", "path": "files/elsewhere/evil.exe", "bytes": 2, "hash": f"sha256:{hashed}"}
    )
    inner["datapackage.json"] = json.dumps(package).encode()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (alter, "was altered: its SHA-256"),
        (alter_and_hide, "its file is another one"),
        (cut, "should have"),
        (lose, "is missing from the zip"),
        (lose_and_hide, "its file is not in the bundle"),
        (smuggle, "datapackage.json knows no such file"),
        (smuggle_and_hide, "belongs to no attachment"),
    ],
)
def test_a_file_that_was_tampered_with_is_found_and_not_let_in(
    bundle: Path, nursery: Nursery, neighbour: Workspace, tmp_path: Path,
    change: Callable[[dict[str, bytes]], None], sentence: str,
) -> None:  # fmt: skip
    file = tampered(bundle, tmp_path, change)
    report = verify(file)
    assert any(sentence in str(each) for each in report.findings), report.findings
    before = contents(neighbour.home)
    with pytest.raises(BundleDamaged):
        bring_in(nursery, file, "tampered")
    assert contents(neighbour.home) == before


def test_a_file_that_changes_after_it_was_checked_is_noticed(
    bundle: Path, nursery: Nursery, neighbour: Workspace, tmp_path: Path
) -> None:
    third = bring_in(nursery, bundle, "noticed").home
    with (
        opened_bundle(tampered(bundle, tmp_path, alter)) as altered,
        pytest.raises(Conflict, match="is not the file that its row speaks of"),
        inside(third),
    ):
        bring_files_in(altered, lambda _table, _count: None)
    assert "terms.txt" not in contents(neighbour.home)


def test_a_bundle_that_breaks_off_on_its_way_in_leaves_no_file(
    bundle: Path, nursery: Nursery, neighbour: Workspace, settings: Settings
) -> None:
    storage = Path(unquote(urlsplit(settings.storage).path))
    before = set(storage.rglob("attachments/*"))
    stored: list[Path] = []

    def tell(phase: str, table: str, count: int) -> None:
        if (phase, table, count) == ("import", "attachments", 2) and len(left()) == 2:
            stored.extend(left())
            raise KeyboardInterrupt

    def left() -> set[Path]:
        return set(storage.rglob("attachments/*")) - before

    with pytest.raises(KeyboardInterrupt):
        bring_in(nursery, bundle, "broken-off", tell=tell)
    assert len(stored) == 2
    assert nursery.sweep() >= 1
    assert left() == set()
    assert "terms.txt" not in contents(neighbour.home)


def test_what_storage_lost_is_declared_and_keeps_nothing_else_back(
    source: Workspace, new_workspace: Callable[[], Workspace], nursery: Nursery, tmp_path: Path
) -> None:
    tenant = new_workspace()
    record = tenant.admin.post("/contacts", {"last_name": "Loses"}).json["id"]
    lost, kept = (
        attached(tenant.admin, "contacts", record, name=f"{each}.txt")["id"] for each in ("lost", "kept")
    )
    with inside(tenant.home):
        files().delete(f"attachments/{lost}")
    file = tmp_path / "bundle.zip"
    take_out(tenant.home, file, Format.CSV)
    report = verify(file)
    assert report.holds, report.findings
    assert report.described.missing_files == (lost,)
    third = bring_in(nursery, file, "lost-one").home
    with inside(third):
        assert _opened(f"attachments/{kept}")
        with pytest.raises(NotStored):
            _opened(f"attachments/{lost}")
    assert tenant.admin.get(f"/attachments/{lost}/download").status_code == 410
    assert contents(source.home) == names()


def test_a_file_that_was_altered_in_storage_stops_the_bundle(
    source: Workspace, new_workspace: Callable[[], Workspace], tmp_path: Path
) -> None:
    tenant = new_workspace()
    record = tenant.admin.post("/contacts", {"last_name": "Altered"}).json["id"]
    made = attached(tenant.admin, "contacts", record)["id"]
    with inside(tenant.home):
        sealed = raw_here(f"attachments/{made}")
        files().write(f"attachments/{made}", [sealed[:-1] + bytes([sealed[-1] ^ 1])])
    file = tmp_path / "bundle.zip"
    with pytest.raises(Conflict, match=made):
        take_out(tenant.home, file, Format.CSV)
    assert not file.exists()
    with inside(tenant.home):
        store_sealed(f"attachments/{made}", [b"sealed by us, and another file"])
    with pytest.raises(Conflict, match=made):
        take_out(tenant.home, file, Format.CSV)
    assert tenant.admin.delete(f"/attachments/{made}").status_code == 204
    take_out(tenant.home, file, Format.CSV)
    assert verify(file).holds
    assert contents(source.home) == names()


def raw_here(name: str) -> bytes:
    with files().open_stream(name) as chunks:
        return b"".join(chunks)


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
