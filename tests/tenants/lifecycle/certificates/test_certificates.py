"""Certificates of destruction are signed, checked without a server, and every change to one is found."""

import base64
import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tenants.lifecycle.certificates.documents import (
    NotACertificate,
    as_file,
    new_signing_key,
    sign,
    verified,
)
from tests.jobs import RunJobs
from tests.workspace import Workspace, in_both


@pytest.fixture(scope="module")
def rotated() -> dict[str, Workspace]:
    return {}


@pytest.fixture
def ours(
    new_workspace: Callable[[], Workspace], run_jobs: RunJobs, rotated: dict[str, Workspace]
) -> Workspace:
    """A tenant whose key was rotated once."""
    if "ours" not in rotated:
        made = rotated["ours"] = new_workspace()
        assert made.admin.in_person.post("/keys/rotate").status_code == 202
        run_jobs()
    return rotated["ours"]


def test_a_rotation_is_certified_for_its_tenant_alone(
    ours: Workspace, neighbour: Workspace, app: Flask
) -> None:
    (file,) = ours.admin.get("/certificates").json["data"]
    said = file["certificate"]
    assert said["destroyed"] == {"data_key_versions": [1]}
    assert said["method"]["standard"] == "NIST SP 800-88 Rev. 2"
    assert said["tenant_id"] == str(ours.home.id)
    assert [each["until"] > said["issued_at"] for each in said["remains"]] == [True]
    assert in_both("/certificates", ours.admin, neighbour.admin) == []
    assert ours.sales.get("/certificates").status_code == 403
    published = app.test_client().get("/api/v1/certificates/key").json
    assert published == {"algorithm": "Ed25519", "public_key": file["public_key"]}
    assert verified(json.dumps(file).encode(), published["public_key"]) == said


@pytest.mark.promise("RET-4")
def test_every_change_is_found(ours: Workspace, neighbour: Workspace) -> None:
    (file,) = ours.admin.get("/certificates").json["data"]
    for change in (_another_tenant, _fewer_versions, _no_remains, _other_signature, _other_form):
        changed = copy.deepcopy(file)
        change(changed)
        with pytest.raises(NotACertificate):
            verified(json.dumps(changed).encode())
    private, public = new_signing_key()
    forged = as_file(file["certificate"], sign(private, file["certificate"]), public)
    assert verified(json.dumps(forged).encode()), "it is signed well, by a key that is nobody's"
    with pytest.raises(NotACertificate, match="another key"):
        verified(json.dumps(forged).encode(), file["public_key"])
    for nonsense in (b"", b"[]", b"null", b"{}", b"\xff", json.dumps({**file, "public_key": "?"}).encode()):
        with pytest.raises(NotACertificate):
            verified(nonsense)


def test_it_is_checked_on_the_command_line_without_any_server(
    ours: Workspace, neighbour: Workspace, tmp_path: Path
) -> None:
    (file,) = ours.admin.get("/certificates").json["data"]
    path = tmp_path / "certificate.json"
    path.write_text(json.dumps(file, indent=2))
    done = _verify(path, "--public-key", file["public_key"], "--json")
    said = json.loads(done.stdout)
    assert (said["holds"], said["compared"], said["id"]) == (True, True, file["certificate"]["id"])
    file["certificate"]["destroyed"]["data_key_versions"] = []
    path.write_text(json.dumps(file))
    done = _verify(path)
    assert (done.returncode, done.stderr.strip()) == (
        1,
        "This certificate was changed after it was signed.",
    )


def test_a_forged_certificate_does_not_name_the_key_that_it_was_checked_with(
    ours: Workspace, neighbour: Workspace, tmp_path: Path
) -> None:
    (file,) = ours.admin.get("/certificates").json["data"]
    words = {"public_key": file["public_key"], "compared": True, "holds": "certainly"}
    said = {**file["certificate"], **words, "reason": "fine\x1b]52;c;cm0gLXJm\x07\nholds: yes", "\u202e": [1]}
    private, public = new_signing_key()
    path = tmp_path / "certificate.json"
    path.write_text(json.dumps(as_file(said, sign(private, said), public)))
    shown = json.loads(_verify(path, "--json").stdout)
    its_own = base64.b64encode(public).decode()
    assert (shown["public_key"], shown["compared"], shown["holds"]) == (its_own, False, True)
    text = _verify(path).stdout
    assert f"public key: {its_own}" in text
    assert file["public_key"] not in text
    assert all(line.isprintable() for line in text.split("\n")), "a terminal obeys what can't be printed"
    assert text.count("\nholds:") + text.startswith("holds:") == 1
    assert in_both("/certificates", ours.admin, neighbour.admin) == []


def test_what_is_nested_without_end_is_no_certificate() -> None:
    deep = "[" * 100_000 + "]" * 100_000
    with pytest.raises(NotACertificate):
        verified(b'{"form": "x", "certificate": ' + deep.encode() + b"}")


def _verify(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "crm.cli", "certificate", "verify", str(path), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path.cwd())


def _another_tenant(file: dict[str, Any]) -> None:
    file["certificate"]["tenant_id"] = file["certificate"]["id"]


def _fewer_versions(file: dict[str, Any]) -> None:
    file["certificate"]["destroyed"]["data_key_versions"] = [1, 2]


def _no_remains(file: dict[str, Any]) -> None:
    file["certificate"]["remains"] = []


def _other_signature(file: dict[str, Any]) -> None:
    file["signature"] = base64.b64encode(bytes(64)).decode()


def _other_form(file: dict[str, Any]) -> None:
    file["form"] = "freehold certificate of destruction 2"
