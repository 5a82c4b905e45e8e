"""No schema is dropped for a bundle that is well made and holds something else, and no tenant comes back as another."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Table

from tenants.foundation import sealed_spools
from tenants.foundation.errors import Conflict
from tenants.isolation.files import sealed_file, store_sealed
from tenants.isolation.storage import Stored
from tenants.isolation.whole_tables import rows_into
from tenants.lifecycle.archives import bundles
from tenants.lifecycle.archives.keeping import ask_to_archive, ask_to_thaw, go_on
from tenants.lifecycle.archives.models import Archive, Step
from tenants.lifecycle.archives.running import Works
from tenants.portability import bundling, filling
from tenants.portability.contents import BundleTable
from tenants.portability.lines import lines_of
from tenants.provisioning.birth import Nursery
from tests.spooled import OnDisk
from tests.tenants.lifecycle.archives.archived import WHY, bundles_of, content, has_schema, steps_left
from tests.tenants.lifecycle.putting_away import changed
from tests.workspace import Workspace

pytestmark = [pytest.mark.soak, pytest.mark.promise("4-20", "RET-2")]
NAMED = b"companies.csv"
Lines = tuple[int, bytes]
Spoil = Callable[[int, bytes], Lines]


def lost(count: int, lines: bytes) -> Lines:
    kept = [each for each in lines.splitlines(keepends=True) if b"Child" not in each]
    return count - lines.count(b"Child"), b"".join(kept)


def altered(count: int, lines: bytes) -> Lines:
    return count, lines.replace(b"Child", b"Chill")


def miscounted(count: int, lines: bytes) -> Lines:
    return count + lines.count(b"Child"), lines


def must_be_there_all_the_same(
    works: Works, nursery: Nursery, archive_id: Any, tenant: Workspace, before: dict[str, str]
) -> None:
    """The tenant is still its schema, where everything can be read, and the bundle is to be written again."""
    assert steps_left(works, archive_id) is Step.WRITING
    assert has_schema(nursery, tenant)
    assert changed(before, content(tenant)) == set()
    assert {each["name"] for each in tenant.admin.get("/companies").json["data"]} == {"Parent", "Child"}


def must_go_on_as_it_was(
    works: Works, nursery: Nursery, archive_id: Any, tenant: Workspace, before: dict[str, str]
) -> None:
    """It is put away and comes back once nothing is wrong any more."""
    go_on(works, archive_id)
    assert steps_left(works, archive_id) is Step.KEPT
    assert not has_schema(nursery, tenant)
    ask_to_thaw(works.catalog, tenant.home.id, WHY)
    go_on(works, archive_id)
    must_be_back(tenant, before)


def must_be_back(tenant: Workspace, before: dict[str, str]) -> None:
    assert changed(before, content(tenant)) == set()
    assert tenant.admin.post("/contacts", {"last_name": "Back"}).status_code == 201
    assert bundles_of(tenant) == []


def test_what_is_read_back_lies_nowhere_in_clear(
    ours: Workspace, neighbour: Workspace, works: Works, monkeypatch: pytest.MonkeyPatch, on_disk: OnDisk
) -> None:
    before = content(ours)
    archive_id = ask_to_archive(works.catalog, ours.home.id, WHY)
    monkeypatch.setattr(sealed_spools, "IN_MEMORY", 0)
    go_on(works, archive_id)
    (sealed,) = bundles_of(ours)
    with works.catalog.transaction() as session:
        archive = session.get_one(Archive, archive_id)
    with sealed_file(ours.home.id, str(archive.file)) as chunks:
        assert NAMED in b"".join(chunks), f"a zip names its files in clear, {sealed} not"
    ask_to_thaw(works.catalog, ours.home.id, WHY)
    go_on(works, archive_id)
    must_be_back(ours, before)
    assert len(on_disk()) >= 2, "once before the schema was dropped, once when it came back"
    assert not any(NAMED in each for each in on_disk())
    assert neighbour.admin.get("/contacts").status_code == 200


WRONG: dict[str, tuple[Spoil, str]] = {
    "lost": (lost, "companies differs"),
    "altered": (altered, "companies differs"),
    "miscounted": (miscounted, "2 good rows, and should have 3"),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_a_well_made_bundle_that_holds_something_else_costs_no_schema(
    ours: Workspace, neighbour: Workspace, works: Works, nursery: Nursery, monkeypatch: pytest.MonkeyPatch,
    wrong: tuple[Spoil, str],
) -> None:  # fmt: skip
    spoil, said = wrong

    def spoiled(table: BundleTable, *how: Any) -> Iterator[Lines]:
        for count, lines in lines_of(table, *how):
            yield spoil(count, lines) if table.name == "companies" else (count, lines)

    before = content(ours)
    archive_id = ask_to_archive(works.catalog, ours.home.id, WHY)
    with monkeypatch.context() as patched:
        patched.setattr(bundling, "lines_of", spoiled)
        with pytest.raises(Conflict, match=said) as refused:
            go_on(works, archive_id)
    assert refused.value.stable_code == "archive_damaged"
    must_be_there_all_the_same(works, nursery, archive_id, ours, before)
    must_go_on_as_it_was(works, nursery, archive_id, ours, before)
    assert neighbour.admin.get("/contacts").status_code == 200


def test_a_bundle_that_storage_gives_back_as_another_costs_no_schema(
    ours: Workspace, neighbour: Workspace, works: Works, nursery: Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    def another(name: str, pieces: Iterable[bytes]) -> Stored:
        return store_sealed(name, (*pieces, b"more"))

    before = content(ours)
    archive_id = ask_to_archive(works.catalog, ours.home.id, WHY)
    with monkeypatch.context() as patched:
        patched.setattr(bundles, "store_sealed", another)
        with pytest.raises(Conflict, match="not the one that was written") as refused:
            go_on(works, archive_id)
    assert refused.value.stable_code == "archive_damaged"
    must_be_there_all_the_same(works, nursery, archive_id, ours, before)
    must_go_on_as_it_was(works, nursery, archive_id, ours, before)
    assert neighbour.admin.get("/contacts").status_code == 200


def test_a_tenant_that_would_come_back_as_something_else_stays_in_its_bundle(
    ours: Workspace, neighbour: Workspace, works: Works, nursery: Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def altering(table: Table, columns: Any) -> Iterator[Callable[[bytes], None]]:
        with rows_into(table, columns) as write:
            yield lambda lines: write(altered(0, lines)[1] if table.name == "companies" else lines)

    before = content(ours)
    archive_id = ask_to_archive(works.catalog, ours.home.id, WHY)
    go_on(works, archive_id)
    kept = bundles_of(ours)
    ask_to_thaw(works.catalog, ours.home.id, WHY)
    with monkeypatch.context() as patched:
        patched.setattr(filling, "rows_into", altering)
        with pytest.raises(Conflict, match="not what was put away, in companies"):
            go_on(works, archive_id)
    assert steps_left(works, archive_id) is Step.FILLING
    assert len(kept) == 1
    assert bundles_of(ours) == kept
    assert ours.admin.get("/contacts").json["code"] == "tenant_thawing"
    go_on(works, archive_id)
    must_be_back(ours, before)
    assert neighbour.admin.get("/contacts").status_code == 200
