"""Backups that were tampered with, and what could come back or be lost by them though it must not."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from crm.app import owners_of
from crm.sales.models import Deal
from tenants.audit.ledger import Ending, Ledger
from tenants.catalog.registry import Catalog
from tenants.foundation.settings import Settings
from tenants.foundation.tables import Base
from tenants.isolation.door import db, inside
from tenants.isolation.folder import Folder
from tenants.isolation.storage import storage_from
from tenants.lifecycle.backups.again import tables_by_resource
from tenants.lifecycle.backups.faults import BackupDamaged
from tenants.lifecycle.backups.keyring import Keyring
from tenants.lifecycle.backups.mirror import Mirror
from tenants.lifecycle.backups.pruning import prune
from tenants.lifecycle.backups.replaying import Replaying
from tenants.lifecycle.backups.store import Store
from tenants.lifecycle.keys.versions import key_versions
from tenants.retention.models import BinEntry
from tests.attaching import attached, listed, stored
from tests.tenants.lifecycle.backups.conftest import Clock, put
from tests.workspace import Workspace

pytestmark = pytest.mark.soak


def told(_what: str, _rows: int) -> None:
    """Nobody listens."""


def with_a_file(tenant: Workspace) -> tuple[str, dict[str, Any]]:
    contact = tenant.admin.post("/contacts", {"last_name": "Bird"}).json["id"]
    return contact, attached(tenant.admin, "contacts", contact)


def test_a_backup_comes_back_though_a_tenant_with_files_was_destroyed_since(
    new_workspace: Callable[[], Workspace],
    neighbour: Workspace,
    ring: Keyring,
    settings: Settings,
    tmp_path: Path,
) -> None:
    leaves, storage, empty = new_workspace(), storage_from(settings.storage), storage_from(tmp_path.as_uri())
    mirror = Mirror(Folder(tmp_path / "backups"), ring.tenants_keys())
    copied = {}
    for each in (leaves, neighbour):
        with_a_file(each)
        copied[each.home.id] = mirror.copy(storage, each.home.id, 1, told)
        assert copied[each.home.id]
    ring.keep()
    ring.forget(leaves.home.id, [1])
    mirror.remove_tenant(leaves.home.id)

    brought = {each: mirror.bring_back(empty, each, files, told) for each, files in copied.items()}
    assert brought == {leaves.home.id: 0, neighbour.home.id: len(copied[neighbour.home.id])}
    assert list(empty.for_tenant(leaves.home.id).list()) == []


def test_a_keyring_that_is_not_there_costs_no_backup(
    kept: Store,
    ring: Keyring,
    ledger: Ledger,
    clock: Clock,
    catalog: Catalog,
    tmp_path: Path,
) -> None:
    page = put(kept, "20260301T120000Z-a")
    elsewhere = Folder(tmp_path / "not mounted")
    without = Store(kept.place, Keyring(elsewhere, catalog, key_versions().wrapper, 35, clock))
    assert prune(without, ledger).backups == []
    assert kept.index(page)["about"]["id"] == page.id
    clock.at = clock.at.replace(month=6)
    assert prune(without, ledger).backups == [page.id], "its day has come, whether there is a key or not"


def test_the_page_of_an_older_backup_stands_for_no_other(kept: Store, ring: Keyring, tmp_path: Path) -> None:
    older, newer = put(kept, "20260301T120000Z-a"), put(kept, "20260301T130000Z-b")
    pages = tmp_path / "backups" / "taken"
    (pages / newer.id / "backup.json").write_bytes((pages / older.id / "backup.json").read_bytes())
    with pytest.raises(BackupDamaged, match="is the page of another backup"):
        kept.page(newer.id)
    said = json.loads((pages / older.id / "backup.json").read_bytes())
    (pages / older.id / "backup.json").write_text(json.dumps({**said, "id": "../../elsewhere"}))
    with pytest.raises(BackupDamaged, match="is the page of another backup"):
        kept.page(older.id)


def test_what_lay_in_the_bin_goes_again_with_its_files(
    of_no_shared_tenant: None,
    new_workspace: Callable[[], Workspace],
    ledger: Ledger,
    catalog: Catalog,
    settings: Settings,
) -> None:
    ours, theirs = new_workspace(), new_workspace()
    (gone, _), (stays, _), (next_door, _) = with_a_file(ours), with_a_file(ours), with_a_file(theirs)
    for tenant, contact in ((ours, gone), (ours, stays), (theirs, next_door)):
        assert tenant.admin.delete(f"/contacts/{contact}").status_code == 204
    assert len(stored(ours)) == 2
    ledger.note(Ending.RECORDS, ours.home.id, "contacts", [UUID(gone)])

    replaying = Replaying(ledger, catalog, owners_of(settings), storage_from(settings.storage))
    assert replaying.replay().records == 1
    assert (len(stored(ours)), len(stored(theirs))) == (1, 1)
    with inside(ours.home):
        assert [each.record_id for each in db().query(BinEntry)] == [UUID(stays)]
    assert listed(ours.admin, gone) == []
    assert replaying.replay().records == 0


def test_what_was_erased_goes_again_from_the_table_that_its_resource_is_called_after(
    of_no_shared_tenant: None,
    new_workspace: Callable[[], Workspace],
    ledger: Ledger,
    catalog: Catalog,
    settings: Settings,
) -> None:
    """Several tables belong to deals; looked up in that of their changes, a deal that came back would stay."""
    ours, theirs = new_workspace(), new_workspace()
    gone, next_door = (each.admin.post("/deals", {"name": "Bird"}).json["id"] for each in (ours, theirs))
    ledger.note(Ending.RECORDS, ours.home.id, "deals", [UUID(gone)])

    replaying = Replaying(ledger, catalog, owners_of(settings), storage_from(settings.storage))
    assert replaying.replay().records == 1
    for tenant, deal, rows in ((ours, gone, 0), (theirs, next_door, 1)):
        with inside(tenant.home):
            assert db().query(Deal).filter(Deal.id == UUID(deal)).count() == rows
    for resource, table in tables_by_resource().items():
        named = Base.metadata.tables.get(resource.replace("-", "_"))
        assert named is None or table is named
