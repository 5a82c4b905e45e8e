"""Files of a bundle that somebody changed are found, and nothing of it is brought in."""

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tenants.foundation.errors import Conflict
from tenants.isolation.door import inside
from tenants.portability.arriving import BundleDamaged, bring_in
from tenants.portability.files import bring_files_in
from tenants.portability.opening import opened_bundle
from tenants.portability.verifying import verify
from tenants.provisioning.birth import Nursery
from tests.tenants.portability.files.contents import contents
from tests.workspace import Workspace


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
    theirs = contents(neighbour.home)
    third = bring_in(nursery, bundle, "noticed").home
    with (
        opened_bundle(tampered(bundle, tmp_path, alter)) as altered,
        pytest.raises(Conflict, match="is not the file that its row speaks of"),
        inside(third),
    ):
        bring_files_in(altered, lambda _table, _count: None)
    assert contents(neighbour.home) == theirs
