"""Each region's place has what is of it alone, and what is over goes from every place."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from tenants.audit.ledger import Ending, Ledger
from tenants.foundation.identifiers import new_id
from tenants.isolation.folder import Folder
from tenants.isolation.storage import StorageFailed
from tenants.lifecycle.backups.keyring import Keyring
from tenants.lifecycle.backups.pruning import prune
from tenants.lifecycle.backups.regional import RegionalStore
from tests.tenants.lifecycle.backups.conftest import Clock, put

US, EU = new_id(), new_id()
FILE = "attachments/a"


@pytest.fixture
def regions(ring: Keyring, tmp_path: Path) -> RegionalStore:
    return RegionalStore(Folder(tmp_path / "backups"), ring, {"us": Folder(tmp_path / "us")}, home="eu")


@pytest.fixture
def there(tmp_path: Path) -> Callable[[str], list[str]]:
    """The files in a place."""

    def names(place: str) -> list[str]:
        found = (path for path in (tmp_path / place).rglob("*") if path.is_file() and path.name != ".lock")
        return sorted(path.relative_to(tmp_path / place).as_posix() for path in found)

    return names


def copied(tenant_id: UUID) -> str:
    return f"files/{tenant_id.hex}/1/{FILE}"


def test_the_place_of_a_region_is_its_own_or_there_is_none(regions: RegionalStore) -> None:
    assert regions.place_of("us") == "us"
    assert regions.place_of("eu") == regions.place_of(None) is None, "the main place is in eu"
    assert regions.within(None) is regions
    for refused in (lambda: regions.place_of("in"), lambda: regions.within("in")):
        with pytest.raises(
            StorageFailed, match="no place for backups of 'in': name one in FREEHOLD_REGION_BACKUPS"
        ):
            refused()


def test_what_a_region_has_of_a_backup_goes_with_it(
    regions: RegionalStore, ring: Keyring, ledger: Ledger, clock: Clock, there: Callable[[str], list[str]]
) -> None:
    _, key = ring.key_of_today()
    older = put(regions, "20260301T120000Z-a", files={str(US): {FILE: 1}, str(EU): {FILE: 1}})
    clock.at += timedelta(days=1)
    put(regions, "20260302T120000Z-b", files={str(US): {FILE: 1}, str(EU): {FILE: 1}}, places={str(US): "us"})
    for store in (regions, regions.within("us")):
        for tenant_id in (US, EU):
            store.place.write(copied(tenant_id), [b"sealed"])
    regions.within("us").write(older.id, "t_us", key, [b"rows"])

    clock.at += timedelta(days=34)
    assert prune(regions, ledger).backups == [older.id]
    assert there("us") == [copied(US)], "nothing names a copy of what is of another region"
    kept = ["taken/20260302T120000Z-b/backup.json", "taken/20260302T120000Z-b/index"]
    assert there("backups") == [copied(EU), *kept], "the older one had all in one place, and is over"


def test_what_was_begun_in_a_region_alone_is_unfinished(
    regions: RegionalStore, ring: Keyring, ledger: Ledger, clock: Clock, there: Callable[[str], list[str]]
) -> None:
    _, key = ring.key_of_today()
    whole = put(regions, "20260301T120000Z-a")
    ledger.note(Ending.TENANT, US)
    begun = "20260301T110000Z-dead"
    regions.within("us").write(begun, "t_us", key, [b"half"])
    assert regions.folders() == {whole.id, begun}
    assert prune(regions, ledger).unfinished == []
    assert [each.id for each in regions.pages()] == [whole.id]
    clock.at += timedelta(days=3)
    assert prune(regions, ledger).unfinished == [begun]
    assert (there("us"), regions.folders()) == ([], {whole.id})


def test_what_somebody_put_beside_the_backups_stops_nothing_and_stays(
    regions: RegionalStore, ledger: Ledger, clock: Clock, there: Callable[[str], list[str]]
) -> None:
    older = put(regions, "20260301T120000Z-a")
    for store in (regions, regions.within("us")):
        store.place.write("taken/before the update/copy", [b"by hand"])
    clock.at += timedelta(days=36)
    assert prune(regions, ledger).backups == [older.id]
    assert there("us") == there("backups") == ["taken/before the update/copy"]


def test_a_main_place_that_is_not_there_costs_no_region_its_part(
    regions: RegionalStore, ring: Keyring, ledger: Ledger, clock: Clock, tmp_path: Path,
    there: Callable[[str], list[str]],
) -> None:  # fmt: skip
    """By its own word alone: whoever has forgotten to mount the main place finds no page of anything."""
    _, key = ring.key_of_today()
    named = {"files": {str(US): {FILE: 1}}, "places": {str(US): "us"}}
    older, us = "20260301T120000Z-a", regions.within("us")
    for backup in (older, "20260302T120000Z-b"):
        us.write(backup, "t_us", key, [b"rows"])
        put(regions, backup, **named)
        clock.at += timedelta(days=1)
    us.place.write(copied(US), [b"sealed"])
    before = there("us")
    without = RegionalStore(Folder(tmp_path / "not mounted"), ring, {"us": us.place}, home="eu")
    clock.at += timedelta(days=3)
    found = prune(without, ledger)
    assert (found.backups, found.unfinished, there("us")) == ([], [], before)

    clock.at += timedelta(days=30)
    assert prune(without, ledger).backups == [older], "its key is destroyed, so that nothing opens it"
    assert copied(US) in there("us"), "the other backup may need it"
    assert [each.id for each in regions.pages()] == [older, "20260302T120000Z-b"]
    assert prune(regions, ledger).backups == [older]
    assert there("us") == [copied(US), "taken/20260302T120000Z-b/part.json", "taken/20260302T120000Z-b/t_us"]


def test_copies_of_a_destroyed_tenant_go_from_its_region_and_of_older_backups(
    regions: RegionalStore, there: Callable[[str], list[str]]
) -> None:
    for store in (regions, regions.within("us")):
        for tenant_id in (US, EU):
            store.place.write(copied(tenant_id), [b"sealed"])
    regions.remove_files_of(US, "us")
    assert there("us") == there("backups") == [copied(EU)]
    regions.remove_files_of(US, "us")
    regions.remove_files_of(EU, None)
    assert (there("us"), there("backups")) == ([copied(EU)], [])
