"""`freehold tenant hold` and `release`."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tenants.catalog.models import State
from tenants.catalog.states import Mover
from tenants.foundation.settings import Settings
from tenants.lifecycle.changing import Decision, move
from tenants.lifecycle.keys.versions import key_versions
from tenants.provisioning.birth import Nursery
from tests.dying import environment_of
from tests.workspace import Workspace

#: Each command is a process that loads the whole program.
pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]

Freehold = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def freehold(settings: Settings) -> Freehold:
    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "crm.cli", "tenant", *words]
        return subprocess.run(
            command, env=environment_of(settings), capture_output=True, text=True, check=False
        )

    return run


def shown(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.promise("2-30", "RET-3")
def test_whoever_runs_the_program_holds_a_tenant_that_is_closing_and_lets_it_go_on_record(
    freehold: Freehold, new_workspace: Callable[[], Workspace], neighbour: Workspace, nursery: Nursery
) -> None:
    ours = new_workspace()
    slug, next_door = (each.admin.get("/me").json["tenant"]["slug"] for each in (ours, neighbour))
    decision = Decision(Mover.PLATFORM, "It leaves.")
    move(key_versions().catalog, nursery.owner_urls, ours.home, State.CLOSING, decision)
    order = ("--matter", "4 O 12/26", "--reason", "The court asks for it.")
    made = shown(freehold("hold", slug, *order, "--document-sha256", "ab" * 32, "--json"))["hold"]
    held = ours.admin.get(f"/legal-holds/{made}").json
    assert (held["in_force"], held["record_ids"], held["placed_by_id"]) == (True, None, None)
    assert held["placed_by_platform"] is True
    refused = ours.admin.in_person.put(f"/legal-holds/{made}/release", {"reason": "x"})
    assert (refused.status_code, refused.json["code"]) == (403, "platforms_hold")
    assert (held["matter"], held["document_sha256"]) == ("4 O 12/26", "ab" * 32)
    assert neighbour.admin.get(f"/legal-holds/{made}").status_code == 404
    foreign = freehold("release", next_door, made, "--reason", "x")
    assert (foreign.returncode, "has no legal hold" in foreign.stderr) == (1, True)
    assert shown(freehold("release", slug, made, "--reason", "It is over.", "--json"))["released_at"]
    found = ours.admin.get(f"/audit-events?record_id={made}&sort=at").json["data"]
    assert [(each["action"], each["actor_kind"]) for each in found] == [
        ("legal-holds.created", "system"),
        ("legal-holds.changed", "system"),
    ]
    nonsense = freehold("hold", slug, *order, "--document-sha256", "none")
    assert (nonsense.returncode, "document_sha256" in nonsense.stderr) == (1, True)
