"""Dated keys end on their day, copies of tenants' keys with the keys, and the ledger shows every change to it."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from tenants.audit.ledger import Ending, Ledger, LedgerBroken
from tenants.catalog.models import TenantKey
from tenants.catalog.registry import Catalog
from tenants.foundation.clock import now
from tenants.foundation.identifiers import new_id
from tenants.isolation.folder import Folder
from tenants.isolation.keys import KeyDestroyed
from tenants.lifecycle.backups.keyring import Keyring, version_of
from tenants.lifecycle.backups.pruning import prune
from tenants.lifecycle.backups.store import INDEX, BackupDamaged, Store
from tenants.lifecycle.keys.versions import key_versions
from tests.tenants.lifecycle.backups.conftest import FIRST, Clock, put
from tests.workspace import Workspace


@pytest.mark.promise("1-47", "RET-5")
def test_a_backup_opens_until_the_key_of_its_day_is_destroyed(
    kept: Store, ring: Keyring, ledger: Ledger, clock: Clock
) -> None:
    first = put(kept, "20260301T120000Z-a")
    clock.at += timedelta(days=1)
    second = put(kept, "20260302T120000Z-b")
    assert [each.day for each in ring.dated()] == [date(2026, 3, 1), date(2026, 3, 2)]
    assert ring.last_end() == date(2026, 3, 2) + timedelta(days=35)
    clock.at = FIRST + timedelta(days=34, hours=11)
    assert ring.destroy_due() == []
    assert kept.index(first)["about"]["id"] == first.id
    clock.at = FIRST + timedelta(days=35)
    assert ring.destroy_due() == [date(2026, 3, 1)]
    assert (kept.readable(first), kept.readable(second)) == (False, True)
    with pytest.raises(KeyDestroyed, match="of 2026-03-01 is not in the keyring any more, since 2026-04-05"):
        kept.index(first)
    assert kept.index(second)["about"]["id"] == second.id
    assert prune(kept, ledger).backups == [first.id]
    assert [each.id for each in kept.pages()] == [second.id]


def test_the_day_that_was_said_first_counts(
    ring: Keyring, catalog: Catalog, clock: Clock, tmp_path: Path
) -> None:
    ring.key_of_today()
    longer = Keyring(Folder(tmp_path / "keyring"), catalog, key_versions().wrapper, 3000, clock)
    assert longer.last_end() == date(2026, 4, 5)
    clock.at = FIRST + timedelta(days=35)
    assert longer.destroy_due() == [date(2026, 3, 1)]


def test_copies_of_keys_go_with_the_keys_and_the_neighbours_stay(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, ring: Keyring, catalog: Catalog
) -> None:
    ours = new_workspace().home
    assert ring.keep() >= 2
    assert ring.keep() == 0
    assert ring.wrapped_keys(ours.id) == dict(catalog.wrapped_keys(ours.id))
    with catalog.transaction() as session:
        destroyed = session.get_one(TenantKey, (ours.id, 1))
        wrapped, destroyed.wrapped, destroyed.destroyed_at = destroyed.wrapped, None, now()
    assert ring.keep() == 0
    assert ring.wrapped_keys(ours.id) == {}, "who was killed before the copy went is made up for"
    with catalog.transaction() as session:
        again = session.get_one(TenantKey, (ours.id, 1))
        again.wrapped, again.destroyed_at = wrapped, None
    assert ring.keep() == 1
    ring.forget(ours.id, [1])
    assert ring.wrapped_keys(ours.id) == {}
    assert ring.wrapped_keys(neighbour.home.id) == dict(catalog.wrapped_keys(neighbour.home.id))


def test_what_is_unfinished_is_never_listed_and_goes_after_two_days(
    kept: Store, ring: Keyring, ledger: Ledger, clock: Clock
) -> None:
    _, key = ring.key_of_today()
    kept.write("20260301T120000Z-dead", "t_x", key, [b"half"])
    whole = put(kept, "20260301T120000Z-a")
    assert [each.id for each in kept.pages()] == [whole.id]
    assert prune(kept, ledger).unfinished == []
    clock.at += timedelta(days=3)
    assert prune(kept, ledger).unfinished == ["20260301T120000Z-dead"]
    assert kept.folders() == {whole.id}


def test_a_changed_file_is_refused_by_its_name(kept: Store, ring: Keyring, tmp_path: Path) -> None:
    page, other = put(kept, "20260301T120000Z-a"), put(kept, "20260301T120000Z-b")
    folder = tmp_path / "backups" / "taken"
    whole = (folder / page.id / INDEX).read_bytes()
    for changed in (
        whole[:-1] + bytes([whole[-1] ^ 1]),
        whole[:-20],
        (folder / other.id / INDEX).read_bytes(),
    ):
        (folder / page.id / INDEX).write_bytes(changed)
        with pytest.raises(BackupDamaged, match=f"taken/{page.id}/{INDEX} was changed"):
            kept.index(page)
    (folder / page.id / INDEX).unlink()
    with pytest.raises(BackupDamaged, match=f"taken/{page.id}/{INDEX} is missing"):
        kept.index(page)


def test_the_ledger_holds_keyed_ids_and_shows_every_change(ledger: Ledger, tmp_path: Path) -> None:
    tenant, person = new_id(), new_id()
    ledger.note(Ending.RECORDS, tenant, "contacts", [person])
    ledger.note(Ending.TENANT, tenant)
    ledger.note(Ending.VALUES, new_id(), "audit-values", [person])
    first, second, third = ledger.entries()
    assert first.records == (ledger.keyed_record(tenant, person),)
    assert (second.ending, second.tenant) == ("tenant", ledger.keyed_tenant(tenant))
    assert third.records != first.records, "of another tenant it is another hash"
    files = sorted((tmp_path / "backups" / "ledger").iterdir())
    assert not any(
        each.encode() in file.read_bytes() for file in files for each in (str(tenant), str(person))
    )
    content = files[1].read_bytes()
    files[1].write_bytes(content.replace(b'"tenant"', b'"values"', 1))
    with pytest.raises(LedgerBroken, match="ledger/000000000002 was changed"):
        list(ledger.entries())
    files[1].unlink()
    with pytest.raises(LedgerBroken, match="ledger/000000000003 does not follow"):
        list(ledger.entries())
    files[1].write_bytes(content)
    assert ledger.forget_until(now() + timedelta(days=1)) == 2
    assert [each.number for each in ledger.entries()] == [3]
    ledger.note(Ending.TENANT, tenant)
    assert [each.number for each in ledger.entries()] == [3, 4]


def test_a_version_says_its_day() -> None:
    assert version_of(date(2026, 3, 1)) == 20260301
