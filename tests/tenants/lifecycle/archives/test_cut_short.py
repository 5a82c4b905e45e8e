"""An archive that is killed at whatever step, met a storage that fails, or was overtaken goes on whole."""

from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from tenants.access.caller import SYSTEM, act_as
from tenants.catalog.registry import Catalog
from tenants.foundation.encryption import Unreadable
from tenants.foundation.errors import Conflict
from tenants.foundation.settings import Settings
from tenants.isolation.door import inside
from tenants.isolation.files import stored_files
from tenants.isolation.folder import Folder
from tenants.isolation.keys import KeyUnopened
from tenants.isolation.storage import StorageFailed
from tenants.lifecycle.archives import bundles, steps
from tenants.lifecycle.archives.keeping import ask_to_archive, ask_to_thaw, go_on, go_on_everywhere
from tenants.lifecycle.archives.models import Step
from tenants.lifecycle.archives.running import Attempt, Works, take
from tenants.lifecycle.attempts import Overtaken
from tenants.provisioning.birth import Nursery
from tests.other_keys import under_the_key_in
from tests.tenants.lifecycle.archives.archived import (
    TELLS_OF_THE_WAY,
    WHY,
    bundles_of,
    content,
    has_schema,
    may_write,
    steps_left,
)
from tests.workspace import Workspace

pytestmark = pytest.mark.soak


class Killed(BaseException):
    """Stands for the end of the process: nobody handles it."""


@pytest.mark.promise("4-20")
def test_killed_at_any_step_it_goes_on_and_is_whole_all_the_while(
    ours: Workspace, neighbour: Workspace, works: Works, nursery: Nursery, catalog: Catalog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    before = content(ours)
    go_to = Attempt.go_to
    doomed: set[Step] = set()

    def killed_first(attempt: Attempt, session: Any, step: Step, **values: Any) -> None:
        go_to(attempt, session, step, **values)
        if attempt.archive.id == archive_id and step not in doomed:
            doomed.add(step)
            raise Killed

    monkeypatch.setattr(Attempt, "go_to", killed_first)
    archive_id = ask_to_archive(catalog, ours.home.id, WHY)
    for target in (Step.WRITING, Step.CHECKING, Step.DROPPING, Step.KEPT):
        with pytest.raises(Killed):
            go_on(works, archive_id)
        assert target in doomed
        if has_schema(nursery, ours):
            now_there = content(ours)
            assert {name for name in before if before[name] != now_there[name]} <= TELLS_OF_THE_WAY
        else:
            assert len(bundles_of(ours)) == 1
        steps_left(works, archive_id)
    assert go_on_everywhere(works) >= 1
    assert steps_left(works, archive_id) is Step.KEPT
    ask_to_thaw(catalog, ours.home.id, WHY)
    for target in (Step.MIGRATING, Step.OPENING, Step.TIDYING, Step.RETURNED):
        with pytest.raises(Killed):
            go_on(works, archive_id)
        assert target in doomed
        assert len(bundles_of(ours)) == 1 or target is Step.RETURNED
        steps_left(works, archive_id)
    go_on(works, archive_id)
    after = content(ours)
    assert {name for name in before if before[name] != after[name]} <= TELLS_OF_THE_WAY
    assert ours.admin.post("/contacts", {"last_name": "Back"}).status_code == 201
    assert neighbour.admin.get("/contacts").status_code == 200


def test_storage_that_fails_or_lies_never_costs_the_schema(
    ours: Workspace, neighbour: Workspace, works: Works, nursery: Nursery, catalog: Catalog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def full(_folder: Folder, key: str, chunks: Any, *_lock: Any) -> None:
        next(iter(chunks))
        raise StorageFailed(f"The file {key} can't be written: the disk is full.")

    archive_id = ask_to_archive(catalog, ours.home.id, WHY)
    with monkeypatch.context() as patched:
        patched.setattr(Folder, "write", full)
        with pytest.raises(StorageFailed):
            go_on(works, archive_id)
    assert steps_left(works, archive_id) is Step.WRITING
    written = Folder.write

    def altered(folder: Folder, key: str, chunks: Any, *lock: Any) -> None:
        written(folder, key, (bytes([each[0] ^ 1]) + each[1:] for each in chunks), *lock)

    with monkeypatch.context() as patched:
        patched.setattr(Folder, "write", altered)
        with pytest.raises(Unreadable):
            go_on(works, archive_id)
    assert steps_left(works, archive_id) is Step.WRITING
    assert has_schema(nursery, ours)
    go_on(works, archive_id)
    assert not has_schema(nursery, ours)
    (name,) = bundles_of(ours)
    with stored_files(ours.home.id).open_stream(name) as chunks:
        kept = b"".join(chunks)
    stored_files(ours.home.id).write(name, [kept[:-1], bytes([kept[-1] ^ 1])])
    ask_to_thaw(catalog, ours.home.id, WHY)
    with pytest.raises(Unreadable):
        go_on(works, archive_id)
    assert ours.admin.get("/contacts").json["code"] == "tenant_thawing"
    assert neighbour.admin.get("/contacts").status_code == 200


def test_under_another_key_of_keys_no_archive_is_called_damaged(
    ours: Workspace, neighbour: Workspace, works: Works, catalog: Catalog, settings: Settings, tmp_path: Path
) -> None:  # fmt: skip
    archive_id = ask_to_archive(catalog, ours.home.id, WHY)
    with patch.object(bundles, "read_back", side_effect=Killed), pytest.raises(Killed):
        go_on(works, archive_id)
    assert steps_left(works, archive_id) is Step.CHECKING
    written = bundles_of(ours)
    with under_the_key_in(tmp_path / "other", catalog, settings), pytest.raises(KeyUnopened):
        go_on(works, archive_id)
    assert steps_left(works, archive_id) is Step.CHECKING
    go_on(works, archive_id)
    assert steps_left(works, archive_id) is Step.KEPT
    assert bundles_of(ours) == written
    assert neighbour.admin.get("/contacts").status_code == 200


def test_of_two_that_work_on_one_archive_the_one_that_was_overtaken_stops(
    ours: Workspace, neighbour: Workspace, works: Works, catalog: Catalog
) -> None:
    archive_id = ask_to_archive(catalog, ours.home.id, WHY)
    first = take(works, archive_id)
    with pytest.raises(Conflict, match="working on this"):
        take(works, archive_id)
    steps_left(works, archive_id)
    take(works, archive_id)
    with pytest.raises(Overtaken):
        first.advance(Step.KEPT)
    assert ours.admin.get("/contacts").status_code == 200
    with inside(neighbour.home):
        act_as(SYSTEM)


def test_one_that_stood_still_removes_nothing_of_who_overtook_it(
    ours: Workspace,
    neighbour: Workspace,
    works: Works,
    nursery: Nursery,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was about to remove what other attempts wrote, and one of these is all that there is of the tenant by now."""
    archive_id, sound, stood = ask_to_archive(works.catalog, ours.home.id, WHY), steps._sound, []

    def stands_still(bundle: Any, attempt: Attempt, expected: Any) -> Any:
        found = sound(bundle, attempt, expected)
        if not stood:
            stood.append(attempt.archive.file)
            steps_left(works, archive_id)
            second = take(works, archive_id)
            second.advance(Step.WRITING)  # storage gave it back as something else
            steps_left(works, archive_id)
            go_on(works, archive_id)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(steps, "_sound", stands_still)
        go_on(works, archive_id)
    (kept,) = bundles_of(ours)
    assert kept not in stood
    assert not has_schema(nursery, ours)
    ask_to_thaw(works.catalog, ours.home.id, WHY)
    go_on(works, archive_id)
    assert ours.admin.get("/contacts").json["data"]
    assert neighbour.admin.get("/contacts").status_code == 200


def test_one_that_stood_still_opens_nothing_that_was_frozen_since(
    ours: Workspace,
    neighbour: Workspace,
    works: Works,
    nursery: Nursery,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was about to give a tenant its rights, which came back by another attempt and is being put away again."""
    archive_id, migrated, stood = ask_to_archive(works.catalog, ours.home.id, WHY), steps.step_tenant, []
    begun: list[bool] = []
    go_on(works, archive_id)
    ask_to_thaw(works.catalog, ours.home.id, WHY)

    def stands_still(*said: Any) -> None:
        migrated(*said)
        if not begun:
            begun.append(True)
            steps_left(works, archive_id)
            go_on(works, archive_id)
            stood.append(ask_to_archive(works.catalog, ours.home.id, WHY))
            steps.freeze(take(works, stood[0]))

    with monkeypatch.context() as patched:
        patched.setattr(steps, "step_tenant", stands_still)
        go_on(works, archive_id)
    assert not may_write(nursery, ours)
    assert may_write(nursery, neighbour)
    steps_left(works, stood[0])
    go_on(works, stood[0])
    assert not has_schema(nursery, ours)
    assert len(bundles_of(ours)) == 1
