"""Keys on the command line: a tenant's is rotated, the key of keys changes, a tenant ends with a certificate."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from crm.app import owners_of
from tenants.catalog.models import State
from tenants.catalog.states import Mover
from tenants.foundation.settings import Settings
from tenants.lifecycle.changing import Decision, move
from tenants.lifecycle.keys.versions import key_versions
from tests.crm.cli.test_refusals import variables
from tests.jobs import RunJobs
from tests.workspace import Workspace

pytestmark = pytest.mark.soak

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def freehold(settings: Settings, tmp_path: Path) -> Run:
    owner = {"FREEHOLD_OWNER_DATABASE_URL": settings.owner_database_url or ""}
    env = {**os.environ, **variables(settings), **owner}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "crm.cli", *arguments, "--data-dir", str(tmp_path)]
        return subprocess.run(command, env=env, capture_output=True, check=False, text=True)

    return run


def test_a_tenants_key_is_rotated_and_the_tenant_destroyed(
    freehold: Run, settings: Settings, new_workspace: Callable[[], Workspace], neighbour: Workspace,
    run_jobs: RunJobs, tmp_path: Path,
) -> None:  # fmt: skip
    tenant = new_workspace()
    slug = tenant.admin.get("/me").json["tenant"]["slug"]
    rotated = freehold("tenant", "rotate-key", slug, "--no-wait", "--json")
    assert json.loads(rotated.stdout)["version"] == 2, rotated.stderr
    run_jobs()
    said = [each["state"] for each in tenant.admin.get("/keys").json["versions"]]
    assert said == ["destroyed", "current"]

    file = tmp_path / "certificate.json"
    why = ("--decided-by", "Ada", "--reason", "It ended.", "--certificate", str(file))
    unsure = freehold("tenant", "destroy", slug, *why)
    assert (unsure.returncode, unsure.stderr) == (
        1,
        f"Nothing was done. To destroy everything of '{slug}' for good, add --yes-really.\n",
    )
    active = freehold("tenant", "destroy", slug, *why, "--yes-really")
    assert "A tenant that is active is not destroyed" in active.stderr
    assert not file.exists()

    decision = Decision(Mover.PLATFORM, "It leaves.")
    move(key_versions().catalog, owners_of(settings), tenant.home, State.CLOSING, decision)
    done = freehold("tenant", "destroy", slug, *why, "--yes-really", "--json")
    assert json.loads(done.stdout) == {"destroyed": slug, "certificate": str(file)}, done.stderr
    assert json.loads(file.read_text())["certificate"]["decided_by"] == "Ada"
    assert neighbour.admin.get("/keys").status_code == 200


def test_keys_that_are_wrapped_already_stay(freehold: Run, acme: Workspace, neighbour: Workspace) -> None:
    done = freehold("keys", "rewrap", "--json")
    said = json.loads(done.stdout)
    assert said["wrapped"] == 0, done.stderr
    assert said["already"] >= 2
