"""A restore takes no place of an installation that lives, and a folder beneath is no ledger."""

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tenants.audit import ledger as the_ledger
from tenants.audit.ledger import Ending, Ledger
from tenants.catalog.registry import Catalog
from tenants.foundation.identifiers import new_id
from tenants.foundation.settings import Settings
from tenants.isolation.folder import Folder
from tenants.isolation.marked_places import MarkedPlace
from tenants.isolation.marks import FOLDER, AnothersPlace, NotOurPlace
from tenants.isolation.places import Places
from tenants.lifecycle.archives.keeping import ask_to_archive, go_on
from tenants.lifecycle.archives.running import Works
from tenants.lifecycle.backups.keyring import Keyring
from tenants.lifecycle.backups.pruning import prune
from tenants.lifecycle.backups.store import Store
from tenants.lifecycle.backups.taking import Taken
from tenants.lifecycle.keys.versions import key_versions
from tests.elsewhere import Elsewhere, copy_place
from tests.jobs import RunJobs, try_again_now
from tests.tenants.lifecycle.backups.conftest import Clock, put
from tests.tenants.lifecycle.backups.test_shut_doors import WHY, archives_of
from tests.tenants.lifecycle.backups.test_the_way_back import erase
from tests.workspace import Workspace


def marks_in(*urls: str) -> dict[str, str]:
    """Every mark in these folders, as it stands there."""
    folders = (Path(unquote(urlsplit(url).path)) / FOLDER for url in urls)
    return {str(file): json.loads(file.read_text())["mark"] for each in folders for file in each.iterdir()}


@pytest.fixture
def marked(catalog: Catalog) -> Callable[[Path], MarkedPlace]:
    """A folder that this installation knows by its mark."""
    return lambda folder: MarkedPlace(f"tests-{new_id()}", str(folder), Folder(folder), catalog, 0)


@pytest.fixture
def places(settings: Settings, catalog: Catalog) -> Places:
    made = Places(settings, catalog)
    made.say_seen()
    return made


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.promise("1-47", "RET-2")
def test_the_places_of_an_installation_that_lives_are_not_taken(  # noqa: PLR0917 - two installations
    new_workspace: Callable[[], Workspace],
    neighbour: Workspace,
    settings: Settings,
    places: Places,
    works: Works,
    take: Callable[[], Taken],
    elsewhere: Callable[[], Elsewhere],
) -> None:
    ours = new_workspace()
    page = take().page
    go_on(works, ask_to_archive(works.catalog, ours.home.id, WHY))
    before = marks_in(settings.storage, settings.backups, settings.keyring)
    place = elsewhere()
    theirs = {
        f"FREEHOLD_{each.upper()}": getattr(settings, each) for each in ("storage", "backups", "keyring")
    }
    place.changes |= theirs
    refused = place.run("backup", "restore", page.id)
    assert refused.returncode == 1
    for setting in theirs:
        assert f"({setting}), last at work there at" in refused.stderr
    assert "freehold backup drill" in refused.stderr
    assert "--adopt" in refused.stderr
    assert marks_in(settings.storage, settings.backups, settings.keyring) == before
    assert place.rows("select count(*) from tenants where state <> 'spare'") == [(0,)]
    assert place.rows("select count(*) from place_marks") == [(0,)]
    assert archives_of(ours) == 1
    for program in ("worker", "scheduler", "serve"):
        done = place.run(program)
        assert done.returncode == 1, program
        assert "of another installation. Nothing is written there" in done.stderr, program

    # Copies of them can be taken: whoever takes them writes there alone.
    for name in ("storage", "backups", "keyring"):
        del place.changes[f"FREEHOLD_{name.upper()}"]
        copy_place(getattr(settings, name), place.folder / name)
    assert place.told("backup", "restore", page.id, "--adopt")["newer_archives"] == 1
    assert marks_in(settings.storage, settings.backups, settings.keyring) == before
    listed = place.told("place", "list")["places"]
    assert {each["name"]: each["says"] for each in listed} == dict.fromkeys(places, "ours")
    of_former = settings.model_copy(
        update={name: (place.folder / name).as_uri() for name in ("storage", "backups", "keyring")}
    )
    former = Places(of_former, works.catalog)
    for each in former.values():
        with pytest.raises(AnothersPlace):
            each.write("late", [b"x"])
    assert archives_of(ours) == 1
    assert neighbour.admin.get("/me").status_code == 200


@pytest.mark.promise("1-47", "RET-5")
def test_what_ends_while_the_ledger_is_not_mounted_is_in_it_afterwards(  # noqa: PLR0917 - two tenants and a place
    new_workspace: Callable[[], Workspace],
    neighbour: Workspace,
    catalog: Catalog,
    run_jobs: RunJobs,
    tmp_path: Path,
    marked: Callable[[Path], MarkedPlace],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The job that notes it fails and comes again; nothing lies in the folder beneath."""
    mounted = tmp_path / "mounted"
    kept = Ledger(marked(mounted), key_versions().wrapper.hashed, catalog.alone)
    monkeypatch.setattr(the_ledger, "_ledger", [kept])
    kept.note(Ending.TENANT, neighbour.home.id)
    ours = new_workspace()
    person = ours.admin.post("/contacts", {"last_name": "Gone"}).json["id"]

    mounted.rename(tmp_path / "aside")
    mounted.mkdir()
    erase(ours, person, run_jobs)
    with pytest.raises(NotOurPlace, match="is it mounted"):
        list(kept.entries())
    assert list(mounted.iterdir()) == []

    mounted.rmdir()
    (tmp_path / "aside").rename(mounted)
    try_again_now(ours.home)
    run_jobs()
    noted = [(each.number, each.ending, each.tenant) for each in kept.entries()]
    assert noted[0] == (1, Ending.TENANT, kept.keyed_tenant(neighbour.home.id))
    assert (2, Ending.RECORDS, kept.keyed_tenant(ours.home.id)) in noted


def test_a_prune_whose_place_is_not_mounted_removes_nothing_and_nothing_beneath(
    marked: Callable[[Path], MarkedPlace], ring: Keyring, ledger: Ledger, clock: Clock, tmp_path: Path,
    neighbour: Workspace,
) -> None:  # fmt: skip
    mounted, aside = tmp_path / "mounted", tmp_path / "aside"
    kept = Store(marked(mounted), ring)
    page = put(kept, "20260301T120000Z-a")
    clock.at += timedelta(days=36)
    mounted.rename(aside)
    (mounted / "taken" / "20260301T110000Z-b").mkdir(parents=True)
    (mounted / "taken" / "20260301T110000Z-b" / "index").write_bytes(b"beneath")
    with pytest.raises(NotOurPlace):
        prune(kept, ledger)
    assert [each.name for each in mounted.rglob("*") if each.is_file()] == ["index"]
    shutil.rmtree(mounted)
    aside.rename(mounted)
    assert [each.id for each in kept.pages()] == [page.id]
    assert prune(kept, ledger).backups == [page.id]
