"""`freehold tenant move`, killed for real at every step, and run again."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tenants.catalog.regions import Regions
from tenants.catalog.registry import Home
from tenants.foundation.settings import Settings, env_name
from tenants.isolation.bootstrap import Logins
from tenants.lifecycle.moves.running import Works
from tenants.provisioning.birth import Nursery
from tests.tenants.lifecycle.moves.world import (
    WAY,
    content,
    differing,
    lives_once,
    schemas,
    two_doors,
    unleased,
)
from tests.workspace import Workspace

pytestmark = pytest.mark.soak
ROOT = Path(__file__).parents[3]
#: Moves a tenant, and is killed when the step that is named ends: before that is on record.
DYING = """
import os, signal, sys
from crm.app import open_house
from crm.cli.lifecycle import tenant_of
from crm.schedule import move_works_of
from tenants.foundation.settings import Settings
from tenants.lifecycle.attempts import Attempt
from tenants.lifecycle.moves.moving import ask_to_move, go_on

go_to = Attempt.go_to

def dying(attempt, session, step, **values):
    if attempt.row.step == sys.argv[2] != step:
        os.kill(os.getpid(), signal.SIGKILL)
    go_to(attempt, session, step, **values)

Attempt.go_to = dying
settings = Settings.read()
works = move_works_of(settings, open_house(settings).catalog)
go_on(works, ask_to_move(works, tenant_of(works.catalog, sys.argv[1]).id, "second", "Killed."))
"""


@pytest.fixture
def environment(settings: Settings, second: Logins) -> dict[str, str]:
    """What the processes are given: two cells, of two regions."""
    values = settings.model_dump(exclude={"cells", "data_dir", "region_storage"})
    given = {env_name(name): str(value) for name, value in values.items() if value is not None}
    cells = {"second": {"app": second.app, "staff": second.staff, "owner": second.owner, "region": "us"}}
    two = {"FREEHOLD_CELLS": json.dumps(cells), "FREEHOLD_REGION": "eu"}
    return {**os.environ, **given, **two, "FREEHOLD_DATA_DIR": str(settings.data_dir)}


def run(environment: dict[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def command(environment: dict[str, str], *words: str) -> dict[str, object]:
    done = run(environment, "-m", "crm.cli", *words, "--json")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_killed_at_every_step_the_same_command_ends_it_whole(  # noqa: PLR0917 - the parts of its world
    environment: dict[str, str], new_workspace: Callable[[], Workspace], neighbour: Workspace,
    nursery: Nursery, settings: Settings, logins: Logins, second: Logins,
) -> None:  # fmt: skip
    ours = new_workspace()
    ours.admin.post("/contacts", {"last_name": "Ng", "national_id": "sealed"})
    slug = ours.admin.get("/me").json["tenant"]["slug"]
    owners: dict[str, str | None] = {"main": logins.owner, "second": second.owner}
    works = Works(nursery.catalog, owners, nursery.head, Regions({}))
    with two_doors(nursery.catalog, settings, second):
        before = content(ours.home)
        for step in WAY:
            done = run(environment, "-c", DYING, slug, step.value)
            assert done.returncode == -signal.SIGKILL, (step, done.stderr)
            unleased(works, _move_id(ours))
            lives_once(works, ours)
        moved = command(environment, "tenant", "move", slug, "--cell", "second")
        assert (moved["step"], moved["to_cell"]) == ("kept", "second")
        assert float(str(moved["pause_seconds"])) > 0
        assert differing(before, content(Home(ours.home.id, "second"))) == set()
        confirmed = command(environment, "tenant", "move", slug, "--confirm")
        assert confirmed["step"] == "confirmed"
        assert schemas(works, ours) == {"second"}
        assert neighbour.admin.get("/contacts").status_code == 200


def _move_id(tenant: Workspace) -> str:
    (latest, *_) = tenant.admin.get("/tenant-state/moves").json["data"]
    return str(latest["id"])


def test_cells_and_regions_are_shown_and_chosen(
    environment: dict[str, str], neighbour: Workspace, settings: Settings, second: Logins, nursery: Nursery
) -> None:
    shown = command(environment, "cell", "list")["cells"]
    assert {(each["cell"], each["region"]) for each in shown} == {("main", "eu"), ("second", "us")}  # type: ignore[attr-defined]
    with two_doors(nursery.catalog, settings, second):
        said = ("--name", "R", "--admin-email", "r@region.test", "--region", "us")
        command(environment, "tenant", "create", "in-a-region", *said)
        row = command(environment, "tenant", "show", "in-a-region")
        assert (row["cell"], row["region"]) == ("second", "us")
        refused = run(environment, "-m", "crm.cli", "tenant", "move", "in-a-region", "--cell", "main")
        assert refused.returncode == 1
        assert "never leaves it" in refused.stderr
        none = run(environment, "-m", "crm.cli", "tenant", "move", "in-a-region")
        assert none.returncode == 2
        assert neighbour.admin.get("/contacts").status_code == 200
