"""Processes that put a tenant away, bring it back or destroy it are killed at every step: it ends whole, or gone."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crm.app import owners_of
from tenants.catalog.models import State
from tenants.catalog.registry import Catalog
from tenants.catalog.states import Mover
from tenants.foundation.errors import NotFound
from tenants.foundation.settings import Settings
from tenants.isolation import files as house
from tenants.isolation.storage import Storage, storage_from
from tenants.lifecycle.archives.keeping import ask_to_archive, ask_to_thaw, go_on
from tenants.lifecycle.archives.models import Step
from tenants.lifecycle.archives.running import Works
from tenants.lifecycle.certificates.issuing import certificates
from tenants.lifecycle.changing import Decision, move
from tenants.lifecycle.keys.destruction import Destruction
from tenants.lifecycle.keys.versions import key_versions
from tenants.provisioning.birth import Nursery
from tests.dying import Doomed, doomed, environment_of
from tests.tenants.lifecycle.archives.archived import WHY, bundles_of, content, has_schema, steps_left
from tests.tenants.lifecycle.putting_away import furnished, must_be_back, must_be_whole_once
from tests.workspace import Workspace

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]
STEPS, BUNDLES = "tenants.lifecycle.archives.steps", "tenants.lifecycle.archives.bundles"
#: Where a process dies on the way into storage, in this order, and on the way back.
AWAY = (
    ("tenants.lifecycle.changing:freeze", "after", 1),
    ("writing", "within", 5),
    (f"{BUNDLES}:store_sealed", "after", 1),
    ("reading back", "within", 1),
    ("comparing", "within", 3),
    (f"{STEPS}:drop", "before", 1),
    (f"{STEPS}:drop", "after", 1),
)
BACK = (
    ("reading back", "within", 1),
    (f"{STEPS}:build", "after", 1),
    ("filling", "within", 3),
    (f"{STEPS}:fill_as_it_was", "after", 1),
    (f"{STEPS}:step_tenant", "after", 1),
    (f"{STEPS}:grant_exactly", "after", 1),
    (f"{STEPS}:change", "after", 1),
    ("tenants.lifecycle.changing:lift", "after", 1),
    (f"{BUNDLES}:remove_others", "after", 1),
)
UNDECIDED = (
    ("tenants.lifecycle.keys.destruction:change", "after", 1),
    ("tenants.lifecycle.keys.destruction:end_unless_held", "after", 1),
)
DESTROYING = (
    *UNDECIDED,
    ("tenants.lifecycle.keys.versions:KeyVersions.destroy", "after", 1),
    ("tenants.isolation.storage:TenantStorage.delete", "after", 1),
    ("tenants.lifecycle.keys.destruction:drop", "after", 1),
    ("tenants.lifecycle.keys.destruction:Destruction._forget_pointers", "after", 1),
    ("tenants.lifecycle.certificates.issuing:Certificates.issue", "after", 1),
)


@pytest.fixture(params=["folder", "bucket"])
def storage_url(request: pytest.FixtureRequest, settings: Settings) -> str:
    url: str = settings.storage if request.param == "folder" else request.getfixturevalue("s3_storage_url")
    return url


@pytest.fixture
def storage(storage_url: str, monkeypatch: pytest.MonkeyPatch) -> Storage:
    made = storage_from(storage_url)
    monkeypatch.setattr(house, "_storage", [made])
    return made


@pytest.fixture
def end(
    settings: Settings, storage_url: str, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Doomed]:
    if storage_url != settings.storage:
        request.getfixturevalue("without_mark_of_storage")
    with doomed(settings, tmp_path / "doomed.log", storage=storage_url) as made:
        yield made


def on_the_command_line(settings: Settings, *said: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "crm.cli", *said]
    return subprocess.run(command, env=environment_of(settings), capture_output=True, text=True, check=False)


@pytest.mark.promise("RET-2", "4-20")
@pytest.mark.usefixtures("storage")
def test_a_tenant_is_whole_and_one_wherever_its_archive_was_killed(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, works: Works, nursery: Nursery, catalog: Catalog,
    end: Doomed,
) -> None:  # fmt: skip
    ours = new_workspace()
    file = furnished(ours)
    before = content(ours)
    archive = ask_to_archive(catalog, ours.home.id, WHY)
    for each in AWAY:
        end.dies("archive", archive, *each)
        must_be_whole_once(works, nursery, archive, ours, before)
    go_on(works, archive)
    assert steps_left(works, archive) is Step.KEPT
    assert (has_schema(nursery, ours), len(bundles_of(ours))) == (False, 1)
    ask_to_thaw(catalog, ours.home.id, WHY)
    for each in BACK:
        end.dies("archive", archive, *each)
        must_be_whole_once(works, nursery, archive, ours, before)
    go_on(works, archive)
    must_be_back(ours, before, file)
    assert neighbour.admin.get("/contacts").status_code == 200


@pytest.mark.promise("RET-2", "RET-4")
def test_a_destruction_that_was_killed_is_carried_out_and_certified_once(  # noqa: PLR0917 - the parts of its world
    new_workspace: Callable[[], Workspace], neighbour: Workspace, works: Works, nursery: Nursery, catalog: Catalog,
    settings: Settings, storage: Storage, end: Doomed,
) -> None:  # fmt: skip
    ours = new_workspace()
    furnished(ours)
    slug = ours.admin.get("/me").json["tenant"]["slug"]
    move(catalog, works.owners, ours.home, State.CLOSING, Decision(Mover.PLATFORM, "It leaves."))
    for each in DESTROYING:
        end.dies("destroy", slug, *each)
        keys_left = len(catalog.wrapped_keys(ours.home.id))
        assert keys_left == (1 if each in UNDECIDED else 0), each
        catalog.forget(ours.home.id)
        assert ours.admin.get("/contacts").status_code == (200 if keys_left else 410)
    destruction = Destruction(key_versions(), storage, owners_of(settings))
    made = destruction.destroy(slug, decided_by="The tenant's own exit", reason="The contract ended.")
    assert certificates().of(ours.home.id) == [made]
    assert made["certificate"]["destroyed"]["tables"]["contacts"]["count"] == 1
    shown = on_the_command_line(settings, "certificate", "show", str(ours.home.id))
    assert json.loads(shown.stdout) == made, "whoever was killed before it was written down gets it again"
    none = on_the_command_line(settings, "certificate", "show", str(neighbour.home.id))
    assert (none.returncode, none.stdout) == (1, "")
    assert (has_schema(nursery, ours), list(storage.for_tenant(ours.home.id).list())) == (False, [])
    with pytest.raises(NotFound):
        destruction.destroy(slug, decided_by="x", reason="x")
    assert neighbour.admin.get("/contacts").status_code == 200
