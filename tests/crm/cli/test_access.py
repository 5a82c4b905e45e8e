"""A tenant's people decide about access by staff from a terminal, from the ask to the receipt."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
from flask import Flask

from tenants.foundation.settings import Settings
from tenants.provisioning.birth import Nursery
from tests.browsers import served
from tests.persons import Person, make_person
from tests.staff import Bureau
from tests.workspace import Workspace

pytestmark = pytest.mark.soak

Run = Callable[..., Any]


@pytest.fixture
def bureau(app: Flask, nursery: Nursery, settings: Settings) -> Bureau:
    return Bureau(app, app.extensions["house"].catalog, nursery, settings)


@pytest.fixture
def url(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with served(app, monkeypatch) as address:
        yield address


@pytest.fixture
def tenant(new_workspace: Callable[[], Workspace]) -> Workspace:
    workspace = new_workspace()
    assert workspace.admin.post("/contacts", {"last_name": "Clearname"}).status_code == 201
    return workspace


@pytest.fixture
def ada(app: Flask, nursery: Nursery, tenant: Workspace) -> Person:
    """An admin with an authenticator app."""
    person = make_person(app, nursery, tenant, role="admin")
    person.with_app(person.signed_in())
    return person


@pytest.fixture
def stranger(app: Flask, nursery: Nursery, neighbour: Workspace) -> Person:
    """An admin of the tenant next door."""
    return make_person(app, nursery, neighbour, role="admin")


def access(url: str, person: Person, *words: str, code: bool = True, status: int = 0) -> Any:
    """`freehold access …` as this person, who signs in with a code of their app; what it printed."""
    person.forget_steps()
    factor = ["--code", person.code()] if code else []
    command = [sys.executable, "-m", "crm.cli", "access", *words]
    command += ["--url", url, "--email", person.email, *factor, "--json"]
    done = subprocess.run(command, input=person.password, capture_output=True, check=False, text=True)
    assert done.returncode == status, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout) if status == 0 else done.stderr


def verified(file: Path, status: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "crm.cli", "access", "verify", str(file), "--json"]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    assert done.returncode == status, done.stderr
    return done


@pytest.mark.promise("1-02")
def test_from_the_ask_to_the_receipt(
    bureau: Bureau, tenant: Workspace, ada: Person, stranger: Person, url: str, tmp_path: Path
) -> None:
    asked = bureau.asked(tenant)
    assert bureau.boss.put(f"/access-grants/{asked['id']}/approval").status_code == 200
    (listed,) = access(url, ada, "list")["access_grants"]
    assert (listed["id"], listed["state"]) == (asked["id"], "manager_approved")
    assert access(url, ada, "approve", asked["id"], "--why", "Go on.")["state"] == "approved"
    visit = bureau.visit(asked)
    assert len(visit.get("/contacts").json["data"]) == 1
    early = access(url, ada, "receipt", visit.id, "--to", str(tmp_path / "early.json"), status=1)
    assert early == "This visit is not over yet.\n"
    assert not (tmp_path / "early.json").exists()
    assert visit.end().status_code == 204
    bureau.settle()
    log = access(url, ada, "log")["access_log"]
    assert [each["staff_name"] for each in log] == ["Support"]
    file = tmp_path / "receipt.json"
    assert access(url, ada, "receipt", visit.id, "--to", str(file))["entries"] == 1
    assert json.loads(verified(file, 0).stdout)["holds"] is True
    changed = json.loads(file.read_text())
    changed["entries"][0]["record_ids"] = []
    file.write_text(json.dumps(changed))
    assert "not those that were signed" in verified(file, 1).stderr
    file.write_text("[]")
    assert "is not the receipt of a visit" in verified(file, 1).stderr
    assert access(url, stranger, "list", code=False)["access_grants"] == []
    assert "no such" in access(url, stranger, "receipt", visit.id, "--to", str(file), code=False, status=1)


def test_an_ask_is_refused_and_leave_is_taken_back(
    bureau: Bureau, tenant: Workspace, ada: Person, neighbour: Workspace, url: str
) -> None:
    refused = bureau.asked(tenant)
    assert bureau.boss.put(f"/access-grants/{refused['id']}/approval").status_code == 200
    assert access(url, ada, "refuse", refused["id"], "--why", "Not now.")["state"] == "refused"
    grant = bureau.granted(tenant)
    visit = bureau.visit(grant)
    assert visit.get("/contacts").status_code == 200
    assert access(url, ada, "revoke", grant["id"])["state"] == "revoked"
    assert visit.get("/contacts").status_code == 403
    bureau.settle()
    assert neighbour.admin.get(f"/access-grants/{grant['id']}").status_code == 404


def test_without_the_second_factor_nothing_is_shown_or_decided(
    bureau: Bureau, tenant: Workspace, ada: Person, neighbour: Workspace, url: str
) -> None:
    asked = bureau.asked(tenant)
    assert bureau.boss.put(f"/access-grants/{asked['id']}/approval").status_code == 200
    said = access(url, ada, "approve", asked["id"], code=False, status=1)
    assert said == "This account signs in with a second factor: add --code.\n"
    right = ada.secrets[-1]
    ada.secrets.append(pyotp.random_base32())
    assert "not right" in access(url, ada, "approve", asked["id"], status=1)
    ada.secrets.append(right)
    assert tenant.admin.get(f"/access-grants/{asked['id']}").json["state"] == "manager_approved"
    assert neighbour.admin.get(f"/access-grants/{asked['id']}").status_code == 404
