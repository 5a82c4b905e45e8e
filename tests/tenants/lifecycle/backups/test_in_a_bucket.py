"""Backups, keys and ledger in buckets: what is destroyed is gone with every version of it."""

from collections.abc import Callable

import pytest
from flask import Flask

from crm.app import wrapping_of
from tenants.audit.ledger import Ending, Ledger
from tenants.catalog.registry import Catalog
from tenants.foundation.identifiers import new_id
from tenants.foundation.settings import Settings
from tenants.isolation.key_file import LocalKeyFile
from tenants.isolation.keys import KeyDestroyed
from tenants.isolation.storage import StorageFailed, place_at, storage_from
from tenants.isolation.wrapping import Wrapping
from tenants.lifecycle.backups.checking import check
from tenants.lifecycle.backups.keyring import Keyring
from tenants.lifecycle.backups.store import Store
from tenants.lifecycle.backups.taking import Taking
from tests.s3 import BUCKET, S3
from tests.workspace import Workspace

pytestmark = pytest.mark.soak


@pytest.fixture
def catalog(app: Flask) -> Catalog:
    return app.extensions["house"].catalog


@pytest.fixture
def ring(catalog: Catalog, settings: Settings, s3_storage_url: str) -> Keyring:
    return Keyring(place_at(f"{s3_storage_url}/keyring"), catalog, wrapping_of(settings, catalog), 35)


@pytest.fixture
def taking(
    acme: Workspace,
    neighbour: Workspace,
    catalog: Catalog,
    settings: Settings,
    ring: Keyring,
    s3_storage_url: str,
) -> Taking:
    store = Store(place_at(f"{s3_storage_url}/backups"), ring)
    return Taking(store, catalog, settings.catalog_database_url, storage_from(settings.storage))


@pytest.mark.soak
def test_a_backup_in_a_bucket_is_whole_or_none(taking: Taking, s3: S3) -> None:
    page = taking.take().page
    assert check(taking.store, page.id)["tenants"] == page.tenants >= 2
    s3.fail(lambda asked: asked["PATH_INFO"].endswith("/index") and asked["REQUEST_METHOD"] == "PUT")
    with pytest.raises(StorageFailed):
        taking.take()
    assert taking.store.pages() == [page]
    assert s3.left_open() == []


def test_a_destroyed_key_is_gone_with_every_version_of_it(
    ring: Keyring, catalog: Catalog, s3: S3, s3_storage_url: str
) -> None:
    s3.client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    try:
        dated, key = ring.key_of_today()
        assert ring.opened(dated.version)._material == key._material
        later = Keyring(ring._place, catalog, ring._wrapping, 35, lambda: ring._clock().replace(year=2100))
        assert later.destroy_due() == [dated.day]
        with pytest.raises(KeyDestroyed):
            ring.opened(dated.version)
        prefix = f"{s3_storage_url.removeprefix(f's3://{BUCKET}/')}/keyring/dated/"
        left = s3.client.list_object_versions(Bucket=BUCKET, Prefix=prefix)
        assert not left.get("Versions")
    finally:
        s3.client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})


def test_an_entry_that_storage_refused_is_not_there_and_the_next_follows(
    catalog: Catalog, settings: Settings, s3: S3, s3_storage_url: str
) -> None:
    ledger = Ledger(place_at(s3_storage_url), wrapping_of(settings, catalog).hashed, catalog.alone)
    ledger.note(Ending.TENANT, new_id())
    s3.fail(lambda asked: asked["REQUEST_METHOD"] == "PUT")
    with pytest.raises(StorageFailed):
        ledger.note(Ending.TENANT, new_id())
    ledger.note(Ending.TENANT, new_id())
    assert [each.number for each in ledger.entries()] == [1, 2]


@pytest.mark.soak
def test_another_key_of_keys_wraps_the_dated_keys_anew(
    ring: Keyring, catalog: Catalog, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    former = LocalKeyFile(settings.key_file)
    newer = LocalKeyFile.made_if_missing(tmp_path_factory.mktemp("newer") / "key")
    dated, key = ring.key_of_today()
    after: Callable[[Wrapping], Keyring] = lambda wrapping: Keyring(ring._place, catalog, wrapping, 35)  # noqa: E731
    assert after(Wrapping(newer, former)).rewrap() == 1
    assert after(Wrapping(newer, former)).rewrap() == 0
    assert after(Wrapping(newer)).opened(dated.version)._material == key._material
