"""What fails beneath an archive or a destruction (storage, disk, database) is taken up again, and costs nothing."""

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import psycopg
import pytest

from crm.app import owners_of
from tenants.audit.ledger import Ledger
from tenants.catalog.models import State
from tenants.catalog.registry import Catalog
from tenants.catalog.states import Mover
from tenants.foundation import sealed_spools
from tenants.foundation.encryption import Unreadable
from tenants.foundation.errors import Unavailable
from tenants.foundation.servers import EmbeddedServers
from tenants.foundation.settings import Settings
from tenants.isolation import files as house
from tenants.isolation import folder
from tenants.isolation.bucket import Bucket
from tenants.isolation.conninfo import conninfo
from tenants.isolation.folder import Folder
from tenants.isolation.storage import Storage, StorageFailed, storage_from
from tenants.lifecycle.archives import steps
from tenants.lifecycle.archives.keeping import ask_to_archive, ask_to_thaw, go_on, go_on_everywhere
from tenants.lifecycle.archives.models import Step
from tenants.lifecycle.archives.running import Works
from tenants.lifecycle.attempts import FORESEEN
from tenants.lifecycle.backups.keyring import Keyring
from tenants.lifecycle.certificates.issuing import Certificates, certificates
from tenants.lifecycle.changing import Decision, move
from tenants.lifecycle.keys import destruction as destroying
from tenants.lifecycle.keys.destruction import Destruction
from tenants.lifecycle.keys.versions import key_versions
from tenants.provisioning.birth import Nursery
from tests.s3 import S3
from tests.tenants.lifecycle.archives.archived import WHY, content, has_schema, steps_left
from tests.tenants.lifecycle.faults import FULL, OnAFullDisk, Once
from tests.tenants.lifecycle.putting_away import changed, furnished, must_be_back, must_be_whole_once
from tests.workspace import Workspace

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]
WHO = {"decided_by": "ada@example.test", "reason": "The contract ended."}


def end_every_connection(servers: EmbeddedServers) -> None:
    """What a restart of the database does to everybody who is connected."""
    url = conninfo(servers.admin_url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename like 'freehold%'"
        )


def restarting(works: Works, servers: EmbeddedServers, left: set[str]) -> Works:
    """The database goes away once in each of these phases."""

    def told(phase: str, _rows: int) -> None:
        if phase in left:
            left.discard(phase)
            end_every_connection(servers)

    return replace(works, told=told)


@pytest.mark.promise("RET-2")
def test_a_database_that_goes_away_in_any_phase_holds_an_archive_up_and_no_more(
    ours: Workspace,
    neighbour: Workspace,
    works: Works,
    nursery: Nursery,
    catalog: Catalog,
    servers: EmbeddedServers,
) -> None:
    file = furnished(ours)
    before = content(ours)
    archive = ask_to_archive(catalog, ours.home.id, WHY)
    for asks, rest, phases in (
        (None, Step.KEPT, {"writing", "comparing"}),
        (ask_to_thaw, Step.RETURNED, {"reading back", "filling"}),
    ):
        if asks is not None:
            asks(catalog, ours.home.id, WHY)
        left = set(phases)
        shaken, attempts = restarting(works, servers, left), 0
        while steps_left(works, archive) is not rest:
            attempts += 1
            try:
                go_on(shaken, archive)
            except FORESEEN:
                must_be_whole_once(works, nursery, archive, ours, before)
        assert (left, 1 < attempts <= len(phases) + 1) == (set(), True)
    must_be_back(ours, before, file)
    assert neighbour.admin.get("/contacts").status_code == 200


@pytest.mark.promise("RET-2")
def test_a_statement_that_fails_before_or_after_its_work_is_tried_again(
    ours: Workspace,
    neighbour: Workspace,
    works: Works,
    nursery: Nursery,
    catalog: Catalog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = furnished(ours)
    before = content(ours)
    archive = ask_to_archive(catalog, ours.home.id, WHY)
    away, back = ("drop",), ("build", "fill_as_it_was", "step_tenant", "grant_exactly", "change", "settle")
    for asks, names in ((None, away), (ask_to_thaw, back)):
        if asks is not None:
            asks(catalog, ours.home.id, WHY)
        for name in names:
            for after in (False, True):
                failing = Once(getattr(steps, name), psycopg.errors.LockNotAvailable("injected"), after=after)
                with monkeypatch.context() as patched:
                    patched.setattr(steps, name, failing)
                    with pytest.raises(FORESEEN):
                        go_on(works, archive)
                assert failing.failed
                must_be_whole_once(works, nursery, archive, ours, before)
        assert go_on_everywhere(works) >= 1
    must_be_back(ours, before, file)
    assert neighbour.admin.get("/contacts").status_code == 200


def nameless_and_full(**_said: Any) -> IO[bytes]:
    return FULL.open("w+b", buffering=0)


def test_a_full_disk_holds_an_archive_up_and_no_more(
    ours: Workspace,
    neighbour: Workspace,
    works: Works,
    nursery: Nursery,
    catalog: Catalog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = furnished(ours)
    before = content(ours)
    archive = ask_to_archive(catalog, ours.home.id, WHY)
    with monkeypatch.context() as patched:
        patched.setattr(folder, "UnfinishedFile", OnAFullDisk)
        with pytest.raises(StorageFailed, match="the disk is full"):
            go_on(works, archive)
    assert steps_left(works, archive) is Step.WRITING
    for asks, step in ((None, Step.CHECKING), (ask_to_thaw, Step.FILLING)):
        if asks is not None:
            asks(catalog, ours.home.id, WHY)
        with monkeypatch.context() as patched:
            patched.setattr(sealed_spools, "IN_MEMORY", 0)
            patched.setattr(tempfile, "TemporaryFile", nameless_and_full)
            with pytest.raises(Unavailable, match="There is no room"):
                go_on(works, archive)
        assert steps_left(works, archive) is step
        must_be_whole_once(works, nursery, archive, ours, before)
        go_on(works, archive)
    must_be_back(ours, before, file)
    assert neighbour.admin.get("/contacts").status_code == 200


@pytest.fixture
def bucket(s3: S3, s3_storage_url: str, monkeypatch: pytest.MonkeyPatch) -> Storage:
    made = storage_from(s3_storage_url)
    monkeypatch.setattr(house, "_storage", [made])
    return made


def asked_by(method: str) -> Callable[[dict[str, str]], bool]:
    return lambda environ: environ["REQUEST_METHOD"] == method and "/archives/" in environ["PATH_INFO"]


@pytest.mark.promise("RET-2")
def test_a_bucket_that_refuses_or_lies_never_costs_the_tenant(  # noqa: PLR0917 - the parts of its world
    ours: Workspace, neighbour: Workspace, works: Works, nursery: Nursery, catalog: Catalog, s3: S3, bucket: Storage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    file = furnished(ours)
    before = content(ours)
    archive = ask_to_archive(catalog, ours.home.id, WHY)
    s3.fail(asked_by("PUT"))
    with pytest.raises(StorageFailed):
        go_on(works, archive)
    assert (steps_left(works, archive), has_schema(nursery, ours)) == (Step.WRITING, True)
    written = Bucket.write

    def altered(place: Bucket, key: str, chunks: Any, *lock: Any) -> None:
        written(place, key, (bytes([each[0] ^ 1]) + each[1:] for each in chunks), *lock)

    with monkeypatch.context() as patched:
        patched.setattr(Bucket, "write", altered)
        with pytest.raises(Unreadable):
            go_on(works, archive)
    assert (steps_left(works, archive), has_schema(nursery, ours)) == (Step.WRITING, True)
    go_on(works, archive)
    ask_to_thaw(catalog, ours.home.id, WHY)
    s3.fail(asked_by("GET"))
    with pytest.raises(StorageFailed):
        go_on(works, archive)
    must_be_whole_once(works, nursery, archive, ours, before)
    s3.fail(asked_by("DELETE"))
    with pytest.raises(StorageFailed):
        go_on(works, archive)
    assert changed(before, content(ours)) == set()
    go_on(works, archive)
    must_be_back(ours, before, file)
    assert neighbour.admin.get("/contacts").status_code == 200


@pytest.mark.promise("RET-4")
@pytest.mark.parametrize("where", ["folder", "bucket"])
def test_a_destruction_that_storage_or_database_stopped_goes_on(  # noqa: PLR0917 - the parts of its world
    ours: Workspace, neighbour: Workspace, works: Works, nursery: Nursery, catalog: Catalog, settings: Settings,
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, where: str,
) -> None:  # fmt: skip
    if where == "bucket":
        storage, place = request.getfixturevalue("bucket"), Bucket
    else:
        storage, place = storage_from(settings.storage), Folder
    furnished(ours)
    slug = ours.admin.get("/me").json["tenant"]["slug"]
    move(catalog, works.owners, ours.home, State.CLOSING, Decision(Mover.PLATFORM, "It leaves."))
    destruction = Destruction(key_versions(), storage, owners_of(settings))
    error = psycopg.errors.LockNotAvailable("injected")
    faults: tuple[tuple[Any, str, Exception], ...] = (
        (destroying, "change", error),
        (destroying, "end_unless_held", error),
        (Ledger, "note", StorageFailed("injected")),
        (Keyring, "forget", StorageFailed("injected")),
        (place, "delete", StorageFailed("injected")),
        (destroying, "drop", error),
        (Destruction, "_forget_pointers", error),
        (Certificates, "issue", psycopg.errors.DiskFull("injected")),
    )
    for owner, name, fault in faults:
        whole = getattr(owner, name)
        for after in (False, True):
            failing = Once(whole, fault, after=after)
            with monkeypatch.context() as patched:
                patched.setattr(owner, name, lambda *args, failing=failing, **said: failing(*args, **said))
                with pytest.raises(type(fault), match="injected"):
                    destruction.destroy(slug, **WHO)
            assert failing.failed
            catalog.forget(ours.home.id)
            assert ours.admin.get("/contacts").status_code == (
                200 if owner is destroying and name != "drop" else 410
            )
    made = destruction.destroy(slug, **WHO)["certificate"]
    assert made["verified"] == {"keys_left": 0, "files_left": 0, "tables_left": 0}
    assert (has_schema(nursery, ours), list(storage.for_tenant(ours.home.id).list())) == (False, [])
    assert ours.admin.get("/contacts").status_code == 410
    assert neighbour.admin.get("/contacts").status_code == 200


def test_a_full_disk_holds_a_destruction_up_and_no_more(
    ours: Workspace, neighbour: Workspace, works: Works, settings: Settings, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Full are the disk of the ledger, and the one that the certificate is to be put on."""
    slug = ours.admin.get("/me").json["tenant"]["slug"]
    furnished(ours)
    move(works.catalog, works.owners, ours.home, State.CLOSING, Decision(Mover.PLATFORM, "It leaves."))
    destruction = Destruction(key_versions(), storage_from(settings.storage), owners_of(settings))
    with monkeypatch.context() as patched:
        patched.setattr(folder, "UnfinishedFile", OnAFullDisk)
        with pytest.raises(StorageFailed, match="the disk is full"):
            destruction.destroy(slug, **WHO)
    assert ours.admin.get("/contacts").status_code == 410
    assert works.catalog.wrapped_keys(ours.home.id), "what is not in the ledger is not destroyed"

    def kept_where_nothing_fits(made: dict[str, Any]) -> None:
        unfinished = OnAFullDisk(tmp_path)
        try:
            unfinished.write(json.dumps(made).encode())
            unfinished.put_at(tmp_path / "certificate.json")
        finally:
            unfinished.abandon()

    with pytest.raises(OSError, match="No space left"):
        destruction.destroy(slug, **WHO, keep=kept_where_nothing_fits)
    assert list(tmp_path.iterdir()) == []
    kept: list[dict[str, Any]] = []
    made = destruction.destroy(slug, **WHO, keep=kept.append)
    assert kept == [made] == certificates().of(ours.home.id)
    assert made["certificate"]["verified"] == {"keys_left": 0, "files_left": 0, "tables_left": 0}
    assert neighbour.admin.get("/contacts").status_code == 200
