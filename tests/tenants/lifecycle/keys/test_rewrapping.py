"""Another key of keys takes over, from a file to KMS and back: nothing is unreadable meanwhile, and nothing is left."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from tenants.catalog.models import InstallationKey, TenantKey
from tenants.catalog.registry import Catalog
from tenants.foundation.errors import Conflict
from tenants.foundation.settings import Settings
from tenants.isolation.aws_kms import BROUGHT, AwsKms
from tenants.isolation.key_file import LocalKeyFile
from tenants.isolation.keys import KeyRing
from tenants.isolation.sealing import keys, use_keys
from tenants.isolation.wrapping import LOOK_UPS, HouseKey, Wrapping
from tenants.lifecycle.keys.rewrapping import rewrap_all, store_look_ups
from tenants.lifecycle.keys.versions import key_versions
from tests.kms import Kms
from tests.tenants.lifecycle.keys.sealed import Sealed
from tests.workspace import Workspace

pytestmark = pytest.mark.soak


@pytest.fixture
def catalog() -> Catalog:
    return key_versions().catalog


@pytest.fixture
def file(settings: Settings) -> LocalKeyFile:
    return LocalKeyFile(settings.key_file)


@pytest.fixture
def kms_key(kms: Kms, file: LocalKeyFile, catalog: Catalog) -> Iterator[AwsKms]:
    """A key in KMS; whatever it wrapped is wrapped by the file again in the end."""
    made = AwsKms(kms.new_key())
    yield made
    rewrap_all(catalog, wrapping(catalog, file, made))


@pytest.fixture
def ring() -> Iterator[None]:
    before = keys()
    yield
    use_keys(before)


def wrapping(catalog: Catalog, current: HouseKey, former: HouseKey | None = None) -> Wrapping:
    return Wrapping(current, former, stored=lambda: catalog.installation_key(LOOK_UPS))


def marks(catalog: Catalog) -> set[bytes]:
    """The first bytes of everything that is wrapped, less what tenants' own keys have wrapped."""
    with catalog.transaction() as session:
        found = [
            *session.scalars(select(TenantKey.wrapped)),
            *session.scalars(select(InstallationKey.wrapped)),
        ]
    return {each[:1] for each in found if each} - {BROUGHT}


@pytest.mark.soak
@pytest.mark.promise("SEC-2")
def test_every_key_is_wrapped_again_and_opens_all_the_while(
    catalog: Catalog, file: LocalKeyFile, kms_key: AwsKms, ours: Sealed, theirs: Sealed, ring: None
) -> None:
    store_look_ups(catalog, wrapping(catalog, file))
    before = wrapping(catalog, file).hashed("ann@example.com", "email")
    both = wrapping(catalog, kms_key, file)
    use_keys(KeyRing(both, catalog.wrapped_keys, lifetime=0.0))
    told: list[tuple[int, int]] = []

    def look(done: int, total: int) -> None:
        if done in (1, total // 2, total):
            assert ours.opens() == ours.expected()
        told.append((done, total))

    done = rewrap_all(catalog, both, look)
    assert (done.wrapped, done.already) == (told[-1][1], 0)
    assert marks(catalog) == {b"\x03"}
    alone = wrapping(catalog, kms_key)
    use_keys(KeyRing(alone, catalog.wrapped_keys, lifetime=0.0))
    assert (ours.opens(), theirs.opens()) == (ours.expected(), theirs.expected())
    assert alone.hashed("ann@example.com", "email") == before
    again = rewrap_all(catalog, alone)
    assert (again.wrapped, again.already) == (0, told[-1][1])


@pytest.mark.soak
def test_one_that_was_killed_is_taken_up_and_goes_back_too(
    catalog: Catalog, file: LocalKeyFile, kms_key: AwsKms, ours: Sealed, theirs: Sealed, ring: None
) -> None:
    class Killed(Exception):
        pass

    def kill(done: int, _total: int) -> None:
        if done == 1:
            raise Killed

    store_look_ups(catalog, wrapping(catalog, file))
    both = wrapping(catalog, kms_key, file)
    with pytest.raises(Killed):
        rewrap_all(catalog, both, kill)
    assert marks(catalog) == {b"\x01", b"\x03"}
    use_keys(KeyRing(both, catalog.wrapped_keys, lifetime=0.0))
    assert (ours.opens(), theirs.opens()) == (ours.expected(), theirs.expected())
    assert rewrap_all(catalog, both).already == 1
    rewrap_all(catalog, wrapping(catalog, file, kms_key))
    assert marks(catalog) == {b"\x01"}


def test_what_opens_with_neither_key_stops_it_with_a_sentence(
    catalog: Catalog, tmp_path: Path, acme: Workspace, neighbour: Workspace
) -> None:
    stranger, other = (LocalKeyFile.made_if_missing(tmp_path / name) for name in ("a", "b"))
    before = marks(catalog)
    with pytest.raises(Conflict, match="FREEHOLD_FORMER_KEY_WRAPPER"):
        rewrap_all(catalog, wrapping(catalog, stranger, other))
    assert marks(catalog) == before
    with catalog.transaction() as session:
        session.execute(delete(InstallationKey).where(InstallationKey.name == LOOK_UPS))
    with pytest.raises(Conflict):
        store_look_ups(catalog, wrapping(catalog, stranger))
    assert catalog.installation_key(LOOK_UPS) is None, (
        "no secret of a wrong key takes the place of the right one"
    )
