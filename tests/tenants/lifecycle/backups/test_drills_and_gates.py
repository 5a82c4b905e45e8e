"""A drill compares every table and leaves nothing; nobody is served while a backup comes in."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from flask import Flask
from sqlalchemy import delete, update

from tenants.catalog.models import Restoration
from tenants.catalog.registry import Catalog
from tenants.foundation.clock import now
from tenants.foundation.settings import Settings
from tenants.isolation.folder import Folder
from tenants.isolation.storage import StorageFailed
from tenants.lifecycle.backups.checking import check
from tenants.lifecycle.backups.store import BackupDamaged, Store
from tenants.lifecycle.backups.taking import Taken
from tests.elsewhere import Elsewhere
from tests.jobs import RunJobs
from tests.tenants.lifecycle.backups.test_the_way_back import erase
from tests.workspace import Workspace

#: Each command is a process that loads the whole program.
pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]


@pytest.fixture
def catalog(app: Flask) -> Catalog:
    return app.extensions["house"].catalog


@pytest.mark.promise("RET-5", "0-21", "2-15", "3-29")
def test_a_drill_compares_every_table_and_leaves_nothing_behind(
    new_workspace: Callable[[], Workspace],
    neighbour: Workspace,
    settings: Settings,
    take: Callable[[], Taken],
    drilling: Callable[[], Elsewhere],
    run_jobs: RunJobs,
) -> None:
    tenant = new_workspace()
    person = tenant.admin.post("/contacts", {"last_name": "Gone"}).json["id"]
    page = take().page
    erase(tenant, person, run_jobs)
    place = drilling()
    found = place.told("backup", "drill", page.id)
    assert found["equal"]
    assert found["replayed"]["records"] >= 1
    lines = {each["table"]: each for each in found["lines"]}
    assert lines["contacts"]["rows"] >= 1
    assert lines["contacts"]["tenants"] == page.tenants == lines["users"]["equal"]
    assert lines["catalog.tenants"]["equal"] == 1
    assert not (place.folder / "drill").exists()
    shown = place.run("backup", "drill", page.id)
    assert shown.returncode == 0, shown.stderr
    assert "contacts" in shown.stdout
    assert max(len(line) for line in shown.stdout.splitlines()) <= 80


def test_nobody_is_served_while_a_backup_comes_in(
    app: Flask, acme: Workspace, neighbour: Workspace, catalog: Catalog, drilling: Callable[[], Elsewhere]
) -> None:
    with catalog.transaction() as session:
        session.add(Restoration(backup="under way", taken_at=now()))
    try:
        ready = app.test_client().get("/health/ready")
        assert (ready.status_code, ready.json["checks"]["restored"]) == (503, False)
        place = drilling()
        for program in ("serve", "worker", "scheduler"):
            done = place.run(program)
            assert done.returncode == 1, program
            assert "This installation is being restored from a backup" in done.stderr
        with catalog.transaction() as session:
            session.execute(update(Restoration).values(opened_at=now()))
        assert app.test_client().get("/health/ready").status_code == 200
    finally:
        with catalog.transaction() as session:
            session.execute(delete(Restoration))


def test_a_changed_backup_is_refused_by_the_name_of_the_file(
    acme: Workspace, neighbour: Workspace, settings: Settings, store: Store, take: Callable[[], Taken]
) -> None:
    page = take().page
    assert check(store, page.id)["tenants"] == page.tenants
    folder = Path(unquote(urlsplit(settings.backups).path)) / "taken" / page.id
    ours, theirs = folder / acme.home.role, folder / neighbour.home.role
    content = ours.read_bytes()
    for changed in (
        content[:99] + bytes([content[99] ^ 1]) + content[100:],
        content[:-1],
        theirs.read_bytes(),
    ):
        ours.write_bytes(changed)
        with pytest.raises(BackupDamaged, match=f"taken/{page.id}/{acme.home.role} was changed or cut short"):
            check(store, page.id)
    ours.unlink()
    with pytest.raises(BackupDamaged, match=f"taken/{page.id}/{acme.home.role} is missing"):
        check(store, page.id)
    store.remove(page.id)
    assert page.id not in {each.id for each in store.pages()}


def test_of_a_backup_that_could_not_be_written_nothing_is_listed(
    acme: Workspace,
    neighbour: Workspace,
    store: Store,
    take: Callable[[], Taken],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = {each.id for each in store.pages()}
    whole = Folder.write

    def full(self: Folder, key: str, *rest: object) -> None:
        if key.endswith(("/catalog", "/index")):
            raise StorageFailed(f"The file {key} can't be written: the disk is full.")
        whole(self, key, *rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(Folder, "write", full)
        with pytest.raises(StorageFailed, match="the disk is full"):
            take()
    assert {each.id for each in store.pages()} == before
    assert take().page.id in {each.id for each in store.pages()}
