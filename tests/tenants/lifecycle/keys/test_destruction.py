"""A destroyed tenant is unreadable, also in copies from before, and a certificate says what that covers and what not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from redis import Redis

from crm.app import owners_of
from tenants.catalog.models import State
from tenants.catalog.states import Mover
from tenants.foundation.encryption import DataKey, Unreadable
from tenants.foundation.errors import Conflict, NotFound, Unavailable
from tenants.foundation.servers import EmbeddedServers
from tenants.foundation.settings import Settings
from tenants.isolation.key_file import LocalKeyFile
from tenants.isolation.keys import KeyDestroyed, KeyName, KeyWithheld
from tenants.isolation.sealing import keys
from tenants.lifecycle.certificates.issuing import certificates
from tenants.lifecycle.changing import Decision, move
from tenants.lifecycle.keys.brought import brought_by
from tenants.lifecycle.keys.destruction import Destruction
from tenants.lifecycle.keys.versions import key_versions
from tests.jobs import RunJobs
from tests.kms import Kms
from tests.tenants.lifecycle.keys.copies import Server
from tests.tenants.lifecycle.keys.sealed import IBAN, SECRET, Sealed, bring, states

pytestmark = pytest.mark.soak

CANARIES = (SECRET.encode(), IBAN.encode())
HOLD = {"matter": "M-1", "reason": "A dispute over the contract."}
WHO = {"decided_by": "ada@example.test", "reason": "The contract ended."}


@pytest.fixture
def server(settings: Settings, servers: EmbeddedServers, tmp_path: Path) -> Server:
    return Server(settings, servers.admin_url, tmp_path)


def slug_of(sealed: Sealed) -> str:
    slug: str = sealed.workspace.admin.get("/me").json["tenant"]["slug"]
    return slug


def closing(sealed: Sealed, settings: Settings) -> str:
    """Have the tenant be closing; its slug."""
    slug = slug_of(sealed)
    catalog = key_versions().catalog
    move(catalog, owners_of(settings), sealed.home, State.CLOSING, Decision(Mover.PLATFORM, "It leaves."))
    return slug


def key_of(sealed: Sealed) -> Callable[[int], DataKey]:
    return lambda version: keys().version(sealed.home.id, version)


@pytest.mark.promise("1-47", "RET-4", "TEN-2")
def test_a_copy_from_before_opens_no_more_and_the_neighbours_does(
    ours: Sealed, theirs: Sealed, server: Server, destruction: Destruction
) -> None:
    kept, others = server.copy_of(ours.home), server.copy_of(theirs.home)
    before = kept.opened(key_of(ours))
    assert {SECRET.encode(), IBAN.encode()} <= set(before)
    assert any(each.startswith(b"PK") for each in before)
    certificate = destruction.destroy(closing(ours, server.settings), **WHO)["certificate"]
    assert kept.failures(key_of(ours), KeyDestroyed) == len(before)
    assert set(CANARIES) <= set(others.opened(key_of(theirs)))
    assert theirs.opens() == theirs.expected()
    assert certificate["destroyed"]["data_key_versions"] == [1]
    assert certificate["destroyed"]["files"]["count"] == len(kept.paths())
    assert certificate["destroyed"]["tables"]["contacts"]["count"] >= 1
    assert certificate["verified"] == {"keys_left": 0, "files_left": 0, "tables_left": 0}


@pytest.mark.promise("1-47", "SEC-2")
def test_an_old_copy_of_the_catalog_opens_with_the_key_of_keys_of_its_time_alone(
    ours: Sealed, theirs: Sealed, server: Server, destruction: Destruction, tmp_path: Path
) -> None:
    kept = server.copy_of(ours.home)
    certificate = destruction.destroy(closing(ours, server.settings), **WHO)["certificate"]
    name = KeyName(ours.home.id, 1)
    former, newer = LocalKeyFile(server.settings.key_file), LocalKeyFile.made_if_missing(tmp_path / "newer")
    opening = DataKey(1, former.unwrap(kept.wrapped[1], name))
    assert SECRET.encode() in kept.opened(lambda _version: opening), "which is why the certificate says so"
    said = " ".join(each["what"] for each in certificate["remains"])
    assert "made otherwise than by this installation's backups hold the wrapped keys" in said
    assert {each["until"] for each in certificate["remains"]} > set()
    with pytest.raises(Unreadable):
        newer.unwrap(kept.wrapped[1], name)
    assert states(theirs.workspace) == {1: "current"}


@pytest.mark.promise("1-47", "SEC-2")
def test_a_kept_copy_of_all_opens_with_the_tenants_own_key_until_that_is_withdrawn(
    ours: Sealed, theirs: Sealed, server: Server, destruction: Destruction, kms: Kms, run_jobs: RunJobs
) -> None:
    arn = bring(ours, kms)
    run_jobs()
    kept, own_key = server.copy_of(ours.home), brought_by(destruction.versions.catalog, ours.home.id)
    assert own_key is not None
    assert list(kept.wrapped) == [2], "what was wrapped by our key is destroyed"

    def unwrapped(version: int) -> DataKey:
        """Nobody keeps it in memory: KMS is asked each time."""
        return DataKey(version, own_key.unwrap(kept.wrapped[version], KeyName(ours.home.id, version)))

    certificate = destruction.destroy(closing(ours, server.settings), **WHO)["certificate"]
    assert certificate["destroyed"]["data_key_versions"] == [2]
    before = kept.opened(unwrapped)
    assert set(CANARIES) <= set(before), "a copy of the catalog opens as long as the key in KMS does"
    kms.disable(arn)
    assert kept.failures(unwrapped, KeyWithheld) == len(before)
    kms.delete_later(arn)
    with pytest.raises(KeyWithheld, match="is waiting to be deleted"):
        unwrapped(2)
    with pytest.raises(KeyDestroyed):
        key_of(ours)(2)
    assert theirs.opens() == theirs.expected()


@pytest.mark.promise("1-47")
def test_a_tenant_whose_own_key_is_withdrawn_is_destroyed_all_the_same(
    ours: Sealed, theirs: Sealed, destruction: Destruction, kms: Kms, run_jobs: RunJobs, settings: Settings
) -> None:
    arn = bring(ours, kms)
    run_jobs()
    kms.disable(arn)
    keys().forget(ours.home.id)
    certificate = destruction.destroy(closing(ours, settings), **WHO)["certificate"]
    assert certificate["verified"] == {"keys_left": 0, "files_left": 0, "tables_left": 0}
    kms.enable(arn)
    with pytest.raises(KeyDestroyed):
        key_of(ours)(2)
    assert theirs.opens() == theirs.expected()


@pytest.mark.promise("TEN-2")
def test_what_was_sealed_is_nowhere_in_clear(
    ours: Sealed, theirs: Sealed, server: Server, destruction: Destruction, capfd: pytest.CaptureFixture[str]
) -> None:
    assert ours.opens() == ours.expected()
    assert not _found(server.whole_dump())
    destruction.destroy(closing(ours, server.settings), **WHO)
    storage = Path(unquote(urlsplit(server.settings.storage).path))
    assert not (storage / ours.home.role).exists() or not list((storage / ours.home.role).rglob("*.*"))
    assert not any(_found(path.read_bytes()) for path in storage.rglob("*") if path.is_file())
    dump = server.whole_dump()
    assert not _found(dump)
    assert f"CREATE SCHEMA {ours.home.role}".encode() not in dump
    assert f"CREATE SCHEMA {theirs.home.role}".encode() in dump
    with Redis.from_url(server.settings.redis_url) as redis:
        assert not any(_found(redis.dump(key) or b"") for key in redis.scan_iter())
    assert not any(_found(each.encode()) for each in capfd.readouterr())


def _found(content: bytes) -> list[bytes]:
    return [each for each in CANARIES if each in content or each.hex().encode() in content]


def test_only_a_tenant_that_ends_is_destroyed_and_never_one_that_is_held(
    ours: Sealed, theirs: Sealed, settings: Settings, destruction: Destruction
) -> None:
    slug = slug_of(ours)
    with pytest.raises(Conflict, match="A tenant that is active is not destroyed"):
        destruction.destroy(slug, **WHO)
    with pytest.raises(NotFound):
        destruction.destroy("never-there", **WHO)
    placed = ours.workspace.admin.in_person.post("/legal-holds", HOLD)
    assert placed.status_code == 201, placed.json
    closing(ours, settings)
    with pytest.raises(Conflict, match="under a legal hold"):
        destruction.destroy(slug, **WHO)
    without = Destruction(destruction.versions, destruction.storage, {"main": None})
    with pytest.raises(Unavailable):
        without.destroy(slug, **WHO)
    assert states(ours.workspace) == {1: "current"}
    assert ours.opens() == ours.expected()
    assert theirs.opens() == theirs.expected()


def test_killed_after_any_step_it_is_taken_up_and_certified_once(
    ours: Sealed,
    theirs: Sealed,
    settings: Settings,
    destruction: Destruction,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Killed(Exception):
        pass

    def dying(name: str) -> Callable[..., Any]:
        whole = getattr(Destruction, name)

        def run(*args: Any, **kwargs: Any) -> Any:
            whole(*args, **kwargs)
            raise Killed

        return run

    slug = closing(ours, settings)
    for name in ("_inventory", "_remove_files", "_forget_pointers", "_tables_left"):
        with monkeypatch.context() as patched:
            patched.setattr(Destruction, name, dying(name))
            with pytest.raises(Killed):
                destruction.destroy(slug, **WHO)
    made = destruction.destroy(slug, **WHO)
    assert made == certificates().of(ours.home.id)[0]
    assert made["certificate"]["destroyed"]["tables"]["contacts"]["count"] >= 1
    with pytest.raises(NotFound):
        destruction.destroy(slug, **WHO)
    # A process that still knows where it was learns of it by its first question.
    assert ours.workspace.admin.get("/contacts").status_code in (401, 410, 503)
    assert ours.workspace.admin.get("/contacts").status_code in (401, 410)
    assert theirs.opens() == theirs.expected()
