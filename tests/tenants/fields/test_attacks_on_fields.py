"""A bundle whose fields, or the values of them, are of another shape would stop every request of its tenant."""

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tenants.portability.arriving import BundleDamaged, bring_in
from tenants.portability.comparing import content_of, differences
from tenants.portability.formats import Format
from tenants.portability.taking_out import take_out
from tenants.portability.verifying import verify
from tenants.provisioning.birth import Nursery
from tests.tenants.fields.defined import VALUES
from tests.workspace import Workspace


def altered(bundle: Path, table: str, column: str, value: Any) -> Path:
    """The same bundle with this value in every row of a table, and sizes and hashes that agree with it."""
    with zipfile.ZipFile(bundle) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    said = json.loads(files["datapackage.json"])
    (described,) = [each for each in said["resources"] if each["name"] == table]
    path = described["path"]
    rows = [{**json.loads(line), column: value} for line in files[path].splitlines()]
    files[path] = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    described["bytes"] = len(files[path])
    described["hash"] = "sha256:" + hashlib.sha256(files[path]).hexdigest()
    files["datapackage.json"] = json.dumps(said).encode()
    with zipfile.ZipFile(made := bundle.with_name("altered.zip"), "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("custom_fields", "choices", 5),
        ("custom_fields", "choices", {"a": 1}),
        ("roles", "permissions", []),
        ("tenant_profile", "staff_access", "x"),
    ],
)
def test_a_document_of_another_shape_does_not_come_in(  # noqa: PLR0917 - what is altered, and where
    own: Workspace,
    neighbour: Workspace,
    nursery: Nursery,
    tmp_path: Path,
    table: str,
    column: str,
    value: Any,
) -> None:
    assert own.admin.post("/contacts", {"last_name": "Shaped", "custom": VALUES}).status_code == 201
    others = content_of(neighbour.home)
    take_out(own.home, tmp_path / "bundle.zip", Format.JSONL)
    bundle = altered(tmp_path / "bundle.zip", table, column, value)
    assert verify(bundle).holds, "sizes and hashes agree"
    with pytest.raises(BundleDamaged, match=rf"{table}\.{column}"):
        bring_in(nursery, bundle, "shapeless")
    assert differences(content_of(neighbour.home), others) == []
