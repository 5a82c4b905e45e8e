"""Whoever is killed leaves no half backup and no half installation: the same command begins anew."""

import signal
import subprocess
import sys
from collections.abc import Callable

import pytest
from sqlalchemy import update

from tenants.catalog.models import State, Tenant
from tenants.catalog.registry import Catalog
from tenants.lifecycle.backups.store import Store
from tenants.lifecycle.backups.taking import Taken
from tests.elsewhere import Elsewhere
from tests.workspace import Workspace

#: Each command is a process that loads the whole program.
pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]

#: Runs a command that kills itself at the first call of a function, as `kill -9` would.
DYING = """
import os, signal, sys
from importlib import import_module
module, _, name = sys.argv.pop(1).partition(":")
owner, _, method = name.rpartition(".")
place = getattr(import_module(module), owner)
setattr(place, method, lambda *args, **kwargs: os.kill(os.getpid(), signal.SIGKILL))
from crm.cli import main
main()
"""


def killed_at(place: Elsewhere, where: str, *words: str) -> None:
    command = [sys.executable, "-c", DYING, where, *words, "--data-dir", str(place.folder)]
    done = subprocess.run(command, env=place.environment(), capture_output=True, check=False, timeout=250)
    assert done.returncode == -signal.SIGKILL, done.stderr


STORE = "tenants.lifecycle.backups.store:Store"
RESTORING = "tenants.lifecycle.backups.restoring:Restoring"


@pytest.mark.parametrize("step", [f"{STORE}.bundle", f"{STORE}.conclude"])
def test_a_backup_that_was_killed_is_none(
    step: str, acme: Workspace, neighbour: Workspace, store: Store, drilling: Callable[[], Elsewhere]
) -> None:
    before, folders = store.pages(), store.folders()
    killed_at(drilling(), step, "backup", "create")
    assert store.pages() == before
    assert len(store.folders() - folders) == 1, "what it wrote waits for the round that removes it"


@pytest.fixture
def gone_elsewhere(catalog: Catalog, new_workspace: Callable[[], Workspace]) -> None:
    """A tenant was destroyed in a cell that is there no more."""
    home = new_workspace().home
    gone = update(Tenant).where(Tenant.id == home.id).values(state=State.DESTROYED, cell="far")
    with catalog.transaction() as session:
        session.execute(gone)
    catalog.forget(home.id)


@pytest.mark.parametrize("step", ["_tenant", "_note", "_open"])
def test_a_restore_that_was_killed_serves_nobody_and_begins_anew(
    step: str,
    acme: Workspace,
    neighbour: Workspace,
    gone_elsewhere: None,
    take: Callable[[], Taken],
    elsewhere: Callable[[], Elsewhere],
) -> None:
    page = take().page
    place = elsewhere()
    place.copy_backups()
    killed_at(place, f"{RESTORING}.{step}", "backup", "restore", page.id, "--adopt")
    refused = place.run("worker")
    assert refused.returncode == 1
    assert "This installation is being restored" in refused.stderr
    served = place.rows("select count(*) from tenants where state not in ('thawing', 'destroyed')")
    assert served == [(0,)]
    again = place.told("backup", "restore", page.id)
    assert again["tenants"] == page.tenants, "the places are its own since the first attempt"
    assert place.rows("select state from tenants where id = %s", acme.home.id) == [("active",)]
    assert place.rows("select count(*) from restorations where opened_at is null") == [(0,)]


def test_a_drill_that_was_killed_is_cleaned_up_by_the_next(
    acme: Workspace, neighbour: Workspace, take: Callable[[], Taken], drilling: Callable[[], Elsewhere]
) -> None:
    page, place = take().page, drilling()
    killed_at(place, f"{RESTORING}._tenant", "backup", "drill", page.id)
    assert (place.folder / "drill").exists()
    assert place.told("backup", "drill", page.id)["equal"]
    assert not (place.folder / "drill").exists()
