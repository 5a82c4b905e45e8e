"""A tenant leaves and comes back from the command line."""

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tenants.catalog.models import Tenant
from tenants.foundation.settings import Settings, env_name
from tests.workspace import Client, Workspace

pytestmark = pytest.mark.soak


@dataclass
class Ran:
    """What a command came to."""

    status: int
    output: str
    complaint: str

    @property
    def json(self) -> Any:
        assert self.status == 0, self.complaint
        return json.loads(self.output)


Freehold = Callable[..., Ran]


@pytest.fixture
def freehold(settings: Settings) -> Freehold:
    """Runs a command on the servers of the tests."""
    values = settings.model_dump(exclude={"cells", "data_dir"})
    given = {env_name(name): str(value) for name, value in values.items() if value is not None}
    environment = {**os.environ, **given, "FREEHOLD_DATA_DIR": str(settings.data_dir)}

    def run(*words: str) -> Ran:
        command = [sys.executable, "-m", "crm.cli", *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


def slug_of(app: Flask, tenant: Workspace) -> str:
    with app.extensions["house"].catalog.transaction() as session:
        return session.get_one(Tenant, tenant.home.id).slug


def test_a_tenant_leaves_and_comes_back(
    app: Flask, freehold: Freehold, new_workspace, neighbour: Workspace, tmp_path: Path
) -> None:
    tenant = new_workspace()
    contact = tenant.admin.post("/contacts", {"last_name": "Traveller", "national_id": "sealed"}).json
    name, file = slug_of(app, tenant), tmp_path / "bundle.zip"
    left = freehold("tenant", "export", name, "--to", str(file), "--json").json
    verified = freehold("bundle", "verify", str(file), "--json").json
    assert (verified["holds"], verified["rows"]) == (True, left["rows"])
    made = freehold("tenant", "import", str(file), "--slug", f"{name}-again", "--api-key", "--json").json
    assert made["user"]["email"] == f"ada@{name}.test"
    again = Client(app.test_client(), made["api_key"], tenant.admin.user_id)
    read = again.get(f"/contacts/{contact['id']}").json
    assert (read["last_name"], read["national_id"]) == ("Traveller", "sealed")
    assert again.get("/users?limit=200").json["data"] == tenant.admin.get("/users?limit=200").json["data"]
    assert neighbour.admin.get(f"/contacts/{contact['id']}").status_code == 404


def test_somebody_new_can_be_let_in(
    app: Flask, freehold: Freehold, new_workspace, neighbour: Workspace, tmp_path: Path
) -> None:
    tenant = new_workspace()
    name, file = slug_of(app, tenant), tmp_path / "bundle.zip"
    freehold("tenant", "export", name, "--to", str(file), "--format", "jsonl")
    who = ["--admin-email", "new@owner.test", "--api-key"]
    nowhere = freehold("tenant", "import", str(file), "--slug", f"{name}-new", "--region", "mars")
    assert (nowhere.status, "There is no region 'mars'." in nowhere.complaint) == (1, True)
    made = freehold("tenant", "import", str(file), "--slug", f"{name}-new", *who, "--json").json
    client = Client(app.test_client(), made["api_key"], tenant.admin.user_id)
    assert client.get("/me").json["user"]["email"] == "new@owner.test"
    assert client.post("/exports", {}).status_code == 202
    assert neighbour.admin.get("/me").status_code == 200


def another_name_inside(file: Path, altered: Path) -> Path:
    """A copy in which somebody has another name, and whose description says so: nothing in it tells."""
    with zipfile.ZipFile(file) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    path, package = "data/contacts.csv", json.loads(contents["datapackage.json"])
    contents[path] = contents[path].replace(b"Traveller", b"Pretender")
    (said,) = [each for each in package["resources"] if each["path"] == path]
    said["hash"] = f"sha256:{hashlib.sha256(contents[path]).hexdigest()}"
    contents["datapackage.json"] = json.dumps(package).encode()
    with zipfile.ZipFile(altered, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return altered


def test_what_is_not_the_file_that_the_export_showed_is_not_brought_in(
    app: Flask, freehold: Freehold, new_workspace, neighbour: Workspace, tmp_path: Path
) -> None:
    tenant = new_workspace()
    tenant.admin.post("/contacts", {"last_name": "Traveller"})
    name, file, next_door = slug_of(app, tenant), tmp_path / "bundle.zip", tmp_path / "next-door.zip"
    sha256 = freehold("tenant", "export", name, "--to", str(file), "--json").json["sha256"]
    freehold("tenant", "export", slug_of(app, neighbour), "--to", str(next_door))
    altered = another_name_inside(file, tmp_path / "altered.zip")
    assert freehold("bundle", "verify", str(altered), "--json").json["holds"], "nothing in it tells"
    into = ("--slug", f"{name}-said", "--sha256")
    for other in (altered, next_door):
        found = hashlib.sha256(other.read_bytes()).hexdigest()
        for refused in (
            freehold("tenant", "import", str(other), *into, sha256),
            freehold("bundle", "verify", str(other), "--sha256", sha256),
        ):
            complaint = f"Its SHA-256 is {found}: this is not the file that was exported, or not all of it.\n"
            assert (refused.status, refused.output, refused.complaint) == (1, "", complaint)
    for part in ("", sha256[:63]):
        unclear = freehold("tenant", "import", str(file), *into, part)
        assert (unclear.status, f"{part!r} is no SHA-256" in unclear.complaint) == (2, True)
    everybody = freehold("tenant", "list", "--json").json["tenants"]
    assert f"{name}-said" not in {each["slug"] for each in everybody}
    made = freehold("tenant", "import", str(file), *into, sha256.upper(), "--api-key", "--json").json
    again = Client(app.test_client(), made["api_key"], tenant.admin.user_id)
    assert [each["last_name"] for each in again.get("/contacts").json["data"]] == ["Traveller"]


def test_what_is_wrong_is_a_sentence_and_a_status(freehold: Freehold, tmp_path: Path) -> None:
    text = tmp_path / "text.zip"
    text.write_text("no zip")
    refused = freehold("bundle", "verify", str(text))
    assert (refused.status, "no zip file" in refused.complaint) == (1, True)
    unknown = freehold("tenant", "export", "nobody-of-this-name", "--to", str(tmp_path / "a.zip"))
    assert (unknown.status, unknown.complaint) == (1, "There is no tenant 'nobody-of-this-name'.\n")
    assert not (tmp_path / "a.zip").exists()
