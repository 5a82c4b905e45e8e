"""`freehold tenant suspend`, `resume` and `show`."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tenants.foundation.settings import Settings, env_name
from tests.workspace import Workspace

pytestmark = pytest.mark.soak

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(settings: Settings) -> Run:
    """Runs a command on the servers of the tests."""
    values = settings.model_dump(exclude={"cells", "data_dir"})
    given = {env_name(name): str(value) for name, value in values.items() if value is not None}
    environment = {**os.environ, **given, "FREEHOLD_DATA_DIR": str(settings.data_dir)}

    def call(*words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "crm.cli", *words, "--json"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    return call


def shown(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_a_tenant_is_suspended_and_resumed_by_whoever_runs_the_program(
    run: Run, new_workspace: Callable[[], Workspace], neighbour: Workspace
) -> None:
    ours = new_workspace()
    slug = ours.admin.get("/me").json["tenant"]["slug"]
    assert shown(run("tenant", "suspend", slug, "--reason", "Unpaid."))["state"] == "suspended"
    assert ours.admin.post("/contacts", {"last_name": "Late"}).status_code == 403
    row = shown(run("tenant", "show", slug))
    assert (row["state"], row["by"], row["reason"]) == ("suspended", "operator", "Unpaid.")
    again = run("tenant", "suspend", slug, "--reason", "Unpaid.")
    assert again.returncode == 1
    assert again.stderr == "This tenant is suspended already.\n"
    shown(run("tenant", "resume", slug, "--reason", "Paid."))
    assert ours.admin.post("/contacts", {"last_name": "Ng"}).status_code == 201
    assert run("tenant", "suspend", "nobody", "--reason", "x").returncode == 1
    assert neighbour.admin.post("/contacts", {"last_name": "Free"}).status_code == 201


def test_a_tenant_is_archived_and_restored_by_whoever_runs_the_program(
    run: Run, new_workspace: Callable[[], Workspace], neighbour: Workspace
) -> None:
    ours = new_workspace()
    contact = ours.admin.post("/contacts", {"last_name": "Kept"}).json["id"]
    slug = ours.admin.get("/me").json["tenant"]["slug"]
    away = shown(run("tenant", "archive", slug, "--reason", "Winter."))
    assert (away["step"], bool(away["sha256"])) == ("kept", True)
    assert shown(run("tenant", "show", slug))["state"] == "archived"
    again = run("tenant", "archive", slug, "--reason", "Winter.")
    assert (again.returncode, again.stderr) == (1, "This tenant is archived already.\n")
    assert "is archived: nothing of it can be read" in run("audit", "verify", slug).stderr
    back = shown(run("tenant", "restore", slug))
    assert (back["step"], back["rows"]) == ("returned", away["rows"])
    assert ours.admin.get(f"/contacts/{contact}").json["last_name"] == "Kept"
    assert run("tenant", "restore", slug).returncode == 1
    assert neighbour.admin.get("/contacts").status_code == 200


def test_a_tenant_gets_a_period_of_its_own_by_whoever_runs_the_program(
    run: Run, new_workspace: Callable[[], Workspace], neighbour: Workspace
) -> None:
    ours = new_workspace()
    slug = ours.admin.get("/me").json["tenant"]["slug"]
    why = ("--reason", "Their plan says so.")
    said = shown(run("tenant", "inactivity", slug, "--days", "730", *why))
    assert said == {"tenant": slug, "inactivity_days": 730, "archived_after_days": 730}
    row = shown(run("tenant", "show", slug))
    assert (row["inactivity_days"], row["archived_after_days"]) == (730, 730)
    assert shown(run("tenant", "inactivity", slug, "--never", *why))["archived_after_days"] is None
    rows = {each["slug"]: each for each in shown(run("tenant", "list"))["tenants"]}
    assert (rows[slug]["inactivity_days"], rows["neighbour"]["inactivity_days"]) == (0, None)
    assert shown(run("tenant", "inactivity", slug, "--as-usual", *why))["inactivity_days"] is None
    events = ours.admin.get("/audit-events?action=tenant.inactivity_period").json["data"]
    assert [each["changes"]["mover"] for each in events] == [[None, "operator"]] * 3
    refused = run("tenant", "inactivity", slug, "--days", "7", *why)
    assert (refused.returncode, refused.stderr) == (1, "A period is 60 to 3650 days.\n")
    assert run("tenant", "inactivity", slug, "--days", "90", "--never", *why).returncode == 2
    assert neighbour.admin.get("/tenant-state").json["archived_after_days"] is None


def test_an_exit_begins_and_is_cancelled_by_whoever_runs_the_program(
    run: Run, new_workspace: Callable[[], Workspace], neighbour: Workspace
) -> None:
    ours = new_workspace()
    slug = ours.admin.get("/me").json["tenant"]["slug"]
    assert shown(run("tenant", "show", slug))["exit"] is None
    dates = shown(run("tenant", "close", slug, "--reason", "They leave."))
    assert ours.admin.get("/closing").json["phase"] == "transition"
    leaving = shown(run("tenant", "show", slug))["exit"]
    assert (leaving["phase"], leaving["next_date"]) == ("transition", dates["transition_until"])
    refused = run("tenant", "close", slug, "--retrieval-days", "3")
    assert refused.returncode == 1
    shown(run("tenant", "close", slug, "--cancel"))
    assert ours.admin.get("/closing").json["phase"] == "cancelled"
    assert neighbour.admin.get("/closing").status_code == 404


def test_a_domain_is_given_to_a_tenant_by_whoever_runs_the_program(
    run: Run, new_workspace: Callable[[], Workspace], neighbour: Workspace
) -> None:
    ours = new_workspace()
    slug, theirs = (each.admin.get("/me").json["tenant"]["slug"] for each in (ours, neighbour))
    domain = f"{ours.home.role[2:14]}.example.org"
    assert (
        shown(run("tenant", "domain", slug, domain.upper(), "--reason", "Their contract."))["domain"]
        == domain
    )
    (claimed,) = ours.admin.get("/claimed-domains").json["data"]
    assert (claimed["domain"], claimed["source"]) == (domain, "system")
    taken = run("tenant", "domain", theirs, domain, "--reason", "Theirs.")
    assert (taken.returncode, taken.stderr) == (1, "This domain belongs to another workspace.\n")
    assert run("tenant", "domain", slug, "no domain", "--reason", "x").stderr == "'no domain' is no domain.\n"
