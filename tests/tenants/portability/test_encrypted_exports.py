"""Exports that are encrypted to the tenant's own keys: nobody else reads them, and what they hold is the same."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pyrage
import pytest
from click.testing import CliRunner

from crm.cli.bundles import verify_bundle
from tenants.isolation.door import inside
from tenants.isolation.files import files, opened_file
from tenants.portability.arriving import bring_in
from tenants.portability.comparing import content_of, differences
from tenants.portability.formats import Format
from tenants.portability.opening import NotABundle
from tenants.portability.taking_out import take_out
from tenants.portability.verifying import verify
from tenants.provisioning.birth import Nursery
from tests.jobs import RunJobs
from tests.workspace import Workspace

SSH = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN alice@rust"


@pytest.mark.promise("EXP-1", "4-24")
def test_an_encrypted_export_opens_with_its_identity_alone(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs, tmp_path: Path
) -> None:
    tenant, ours, others = new_workspace(), *(pyrage.x25519.Identity.generate() for _ in range(2))
    for number in range(50):
        tenant.admin.post("/contacts", {"last_name": f"Number {number}", "national_id": "sealed-1"})
    to = [str(ours.to_public()), SSH]
    asked = tenant.admin.post("/exports", {"format": "jsonl", "encrypt_to": to}).json
    run_jobs()
    made = tenant.admin.get(f"/exports/{asked['id']}").json
    assert (made["status"], made["encrypt_to"]) == ("succeeded", to)
    answer = tenant.admin.get(f"/exports/{asked['id']}/download")
    assert answer.headers["Content-Disposition"].endswith('.zip.age"')
    assert (hashlib.sha256(answer.data).hexdigest(), len(answer.data)) == (made["sha256"], made["size"])
    with inside(tenant.home):
        (name,) = files().list()
        with opened_file(name) as chunks:
            assert b"".join(chunks) == answer.data
    assert b"datapackage.json" not in answer.data
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(answer.data, [others])
    file = tmp_path / "bundle.zip"
    file.write_bytes(pyrage.decrypt(answer.data, [ours]))
    report = verify(file)
    assert report.holds, report.findings
    assert report.rows == made["counts"]
    assert neighbour.admin.get(f"/exports/{asked['id']}/download").status_code == 404


@pytest.mark.promise("4-24")
def test_it_comes_back_equal_once_it_is_decrypted(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, nursery: Nursery, tmp_path: Path
) -> None:
    tenant, identity = new_workspace(), pyrage.x25519.Identity.generate()
    tenant.admin.post("/contacts", {"last_name": "Both ways", "national_id": "sealed-2"})
    before = content_of(tenant.home)
    made = take_out(tenant.home, tmp_path / "b.zip.age", Format.CSV, encrypt_to=[str(identity.to_public())])
    assert made.sha256 == hashlib.sha256((tmp_path / "b.zip.age").read_bytes()).hexdigest()
    with pytest.raises(NotABundle, match="age --decrypt"):
        bring_in(nursery, tmp_path / "b.zip.age", "still-encrypted")
    (tmp_path / "b.zip").write_bytes(pyrage.decrypt((tmp_path / "b.zip.age").read_bytes(), [identity]))
    third = bring_in(nursery, tmp_path / "b.zip", "third-encrypted").home
    assert differences(content_of(third), before) == []
    assert nursery.catalog.by_slug("still-encrypted") is None
    assert neighbour.admin.get("/contacts?limit=1").status_code == 200


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("age1notarecipient", "no age recipient"),
        ("ssh-ed25519 AAAA", "no age recipient"),
        ("somebody@example.com", "no age recipient"),
        ("AGE-SECRET-KEY-1F0Q0ZXF08F7EHCZY7MQE2MVAFN0708GN0K3DGM458YKFY6JEGXMS2EWZLJ", "secret key"),
    ],
)
def test_a_wrong_recipient_is_refused_when_it_is_said(
    acme: Workspace, neighbour: Workspace, wrong: str, sentence: str
) -> None:
    right = str(pyrage.x25519.Identity.generate().to_public())
    before = len(acme.admin.get("/exports?limit=200").json["data"])
    refused = acme.admin.post("/exports", {"encrypt_to": [right, wrong]})
    assert refused.status_code == 422
    ((field, (said,)),) = refused.json["errors"].items()
    assert (field, sentence in said) == ("encrypt_to.1", True)
    assert wrong not in refused.text
    assert len(acme.admin.get("/exports?limit=200").json["data"]) == before
    assert neighbour.admin.post("/exports", {"encrypt_to": []}).status_code == 422


def test_verifying_an_encrypted_bundle_says_what_was_not_checked(
    acme: Workspace, neighbour: Workspace, tmp_path: Path
) -> None:
    file = tmp_path / "bundle.zip.age"
    to = [str(pyrage.x25519.Identity.generate().to_public()), SSH]
    made = take_out(neighbour.home, file, Format.CSV, encrypt_to=to)
    run = CliRunner().invoke
    told = run(verify_bundle, [str(file)])
    assert (told.exit_code, made.sha256 in told.output, "2 recipients" in told.output) == (0, True, True)
    assert "can't be checked before it is decrypted" in told.output
    found = json.loads(run(verify_bundle, [str(file), "--sha256", made.sha256, "--json"]).output)
    assert (found["keys"], found["checked"]) == (["X25519", "ssh-ed25519"], ["sha256"])
    assert "values" in found["not_checked"]
    file.write_bytes(file.read_bytes()[:-1])
    assert run(verify_bundle, [str(file), "--sha256", made.sha256]).exit_code != 0
    assert acme.admin.get("/exports").status_code == 200
