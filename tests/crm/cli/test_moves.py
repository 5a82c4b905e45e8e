"""`freehold tenant move`, killed for real at every step, and run again."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from tenants.catalog.regions import Regions
from tenants.catalog.registry import Home
from tenants.foundation.settings import Settings, env_name
from tenants.isolation.bootstrap import Logins
from tenants.lifecycle.moves.models import Move
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

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]
ROOT = Path(__file__).parents[3]
#: For each step that it is told, a process that moves a tenant and is killed when that step is done and not on record.
DYING = """
import os, signal, sys
from crm.app import open_house
from crm.cli.lifecycle import tenant_of
from crm.schedule import move_works_of
from tenants.foundation.settings import Settings
from tenants.lifecycle.attempts import Attempt
from tenants.lifecycle.moves.moving import ask_to_move, go_on

def move(slug, last):
    go_to = Attempt.go_to

    def dying(attempt, session, step, **values):
        if attempt.row.step == last != step:
            os.kill(os.getpid(), signal.SIGKILL)
        go_to(attempt, session, step, **values)

    Attempt.go_to = dying
    settings = Settings.read()
    works = move_works_of(settings, open_house(settings).catalog)
    go_on(works, ask_to_move(works, tenant_of(works.catalog, slug).id, "second", "Killed."))

for line in sys.stdin:
    pid = os.fork()
    if not pid:
        move(sys.argv[1], line.strip())
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


@pytest.fixture
def environment(settings: Settings, second: Logins, tmp_path: Path) -> dict[str, str]:
    """What the processes are given: two cells, of two regions."""
    values = settings.model_dump(exclude={"cells", "data_dir", "region_storage", "region_backups"})
    given = {env_name(name): str(value) for name, value in values.items() if value is not None}
    cells = {"second": {"app": second.app, "staff": second.staff, "owner": second.owner, "region": "us"}}
    two = {
        "FREEHOLD_CELLS": json.dumps(cells),
        "FREEHOLD_REGION": "eu",
        "FREEHOLD_REGION_STORAGE": json.dumps({"us": (tmp_path / "us").as_uri()}),
        "FREEHOLD_REGION_BACKUPS": json.dumps({"us": (tmp_path / "us backups").as_uri()}),
    }
    return {**os.environ, **given, **two, "FREEHOLD_DATA_DIR": str(settings.data_dir)}


def run(environment: dict[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


@contextmanager
def dying(environment: dict[str, str], slug: str) -> Iterator[Callable[[str], int]]:
    """Runs a move in a process until a step of it, and says how that process ended."""
    words = [sys.executable, "-c", DYING, slug]
    with subprocess.Popen(
        words, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdin
        assert program.stdout
        told, said = program.stdin, program.stdout

        def killed_at(step: str) -> int:
            told.write(f"{step}\n")
            told.flush()
            return next(int(line) for line in said if line.strip("-\n").isdigit())

        yield killed_at
        told.close()


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
        with dying(environment, slug) as killed_at:
            for step in WAY:
                assert killed_at(step) == -signal.SIGKILL, step
                unleased(works, _move_id(works, ours))
                lives_once(works, ours)
        moved = command(environment, "tenant", "move", slug, "--cell", "second")
        assert (moved["step"], moved["to_cell"]) == ("kept", "second")
        assert float(str(moved["pause_seconds"])) > 0
        tried = {"companies", "opened companies"}
        assert differing(before, content(Home(ours.home.id, "second"))) <= tried
        confirmed = command(environment, "tenant", "move", slug, "--confirm")
        assert confirmed["step"] == "confirmed"
        assert schemas(works, ours) == {"second"}
        assert neighbour.admin.get("/contacts").status_code == 200


def _move_id(works: Works, tenant: Workspace) -> UUID:
    with works.catalog.transaction() as session:
        return session.scalars(select(Move.id).where(Move.tenant_id == tenant.home.id)).one()


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
