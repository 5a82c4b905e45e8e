"""In a bucket, what is removed is gone with its versions, what is locked stays, and S3 encrypts besides us."""

import uuid
from datetime import timedelta
from uuid import UUID

import pytest

from tenants.foundation.clock import now
from tenants.foundation.settings import Settings, SettingsError
from tenants.isolation.storage import (
    CannotLock,
    Lock,
    LockMode,
    StillLocked,
    StorageFailed,
    place_at,
    storage_from,
)

OURS, NEIGHBOUR = UUID(int=1), UUID(int=2)
A = f"t_{OURS.hex}/a"
LARGE = 9 * 1024 * 1024
#: In a bucket for tests nobody could remove a lock that lasts.
SOON = timedelta(hours=1)


@pytest.fixture
def storage(bucket):
    return storage_from(f"s3://{bucket}/x")


@pytest.fixture
def place(bucket):
    """The same place, where files can be locked too."""
    return place_at(f"s3://{bucket}/x")


@pytest.fixture
def ours(storage):
    return storage.for_tenant(OURS)


@pytest.fixture
def theirs(storage):
    return storage.for_tenant(NEIGHBOUR)


def read(storage, name):
    with storage.open_stream(name) as chunks:
        return b"".join(chunks)


def pieces(length):
    for _ in range(length // 65536):
        yield bytes(65536)


def versions(s3, bucket):
    """Every version and every mark of a deletion that is left in a bucket."""
    found = s3.client.list_object_versions(Bucket=bucket)
    return [each["Key"] for kind in ("Versions", "DeleteMarkers") for each in found.get(kind, [])]


@pytest.mark.promise("RET-6")
def test_every_version_of_a_removed_file_is_gone(s3, bucket, ours, theirs):
    for content in (b"first", b"second", b"third"):
        ours.write("a", [content])
    s3.client.delete_object(Bucket=bucket, Key=f"x/t_{OURS.hex}/a")
    ours.write("a", [b"fourth"])
    ours.write("ab", [b"another, whose name begins alike"])
    theirs.write("a", [b"theirs"])
    assert len(versions(s3, bucket)) == 7
    ours.delete("a")
    assert sorted(versions(s3, bucket)) == [f"x/t_{OURS.hex}/ab", f"x/t_{NEIGHBOUR.hex}/a"]
    assert not ours.exists("a")
    assert read(ours, "ab").startswith(b"another")
    assert read(theirs, "a") == b"theirs"
    ours.delete("a")


def test_a_deletion_that_breaks_off_brings_nothing_older_to_light(s3, bucket, ours, theirs):
    for content in (b"first", b"second", b"third"):
        ours.write("a", [content])
    theirs.write("a", [b"theirs"])
    deletions = []

    def the_second(environ):
        deletions.append(1) if environ["REQUEST_METHOD"] == "DELETE" else None
        return environ["REQUEST_METHOD"] == "DELETE" and len(deletions) == 2

    s3.fail(the_second)
    with pytest.raises(StorageFailed):
        ours.delete("a")
    assert read(ours, "a") == b"third"
    ours.delete("a")
    assert versions(s3, bucket) == [f"x/t_{NEIGHBOUR.hex}/a"]


def test_a_server_that_knows_no_versions_deletes_all_the_same(s3, s3_storage_url):
    ours = storage_from(s3_storage_url).for_tenant(OURS)
    ours.write("a", [b"x"])
    s3.fail(
        lambda environ: "versions" in environ["QUERY_STRING"],
        status="501 Not Implemented",
        code="NotImplemented",
    )
    ours.delete("a")
    assert not ours.exists("a")
    assert not storage_from(s3_storage_url).for_tenant(NEIGHBOUR).exists("a")


@pytest.mark.promise("RET-6")
@pytest.mark.parametrize("mode", LockMode)
@pytest.mark.parametrize("length", [0, LARGE])
def test_a_locked_file_stays_until_its_time(  # noqa: PLR0917 - the parts of its world
    s3, bucket, place, ours, theirs, mode, length
):
    until = now() + SOON
    place.write(A, [b"sealed", *pieces(length)], Lock(mode, until))
    head = s3.client.head_object(Bucket=bucket, Key=f"x/t_{OURS.hex}/a")
    assert head["ObjectLockMode"] == mode.value
    assert abs(head["ObjectLockRetainUntilDate"] - until) < timedelta(seconds=2)
    with pytest.raises(StillLocked, match="is locked until") as refused:
        ours.delete("a")
    assert (refused.value.status, refused.value.stable_code) == (409, "still_locked")
    assert f"{until:%Y-%m-%d}" in refused.value.detail
    assert str(OURS.hex) not in refused.value.detail
    assert read(ours, "a").startswith(b"sealed")
    theirs.write("a", [b"theirs"])
    theirs.delete("a")
    assert versions(s3, bucket) == [f"x/t_{OURS.hex}/a"]


def test_a_file_that_could_not_be_locked_is_not_kept(s3, bucket, place, theirs):
    s3.fail(lambda environ: "retention" in environ["QUERY_STRING"])
    # The server of the tests passes over the lock of what comes in parts.
    with pytest.raises(StorageFailed, match="can't be locked"):
        place.write(A, pieces(LARGE), Lock(LockMode.COMPLIANCE, now() + SOON))
    assert versions(s3, bucket) == []
    assert not theirs.exists("a")


def test_a_locked_version_is_still_there_when_the_name_is_written_again(s3, bucket, place, ours, theirs):
    place.write(A, [b"locked"], Lock(LockMode.COMPLIANCE, now() + SOON))
    ours.write("a", [b"later"])
    theirs.write("a", [b"theirs"])
    with pytest.raises(StillLocked):
        ours.delete("a")
    assert read(ours, "a") == b"later"
    assert versions(s3, bucket).count(f"x/t_{OURS.hex}/a") == 2


def test_where_nothing_can_be_locked_that_is_said(tmp_path, s3, s3_storage_url):
    lock = Lock(LockMode.COMPLIANCE, now() + SOON)
    folder = place_at(tmp_path.as_uri())
    with pytest.raises(CannotLock, match="takes a bucket with Object Lock"):
        folder.write(A, [b"x"], lock)
    assert list(folder.list("")) == []
    plain = place_at(s3_storage_url)
    with pytest.raises(StorageFailed, match="can't be written"):
        plain.write(A, [b"x"], lock)
    assert list(plain.list("")) == []
    assert not folder.keeps_locks()
    assert not plain.keeps_locks()
    assert list(storage_from(s3_storage_url).for_tenant(NEIGHBOUR).list()) == []
    with pytest.raises(ValueError, match="ends in the future"):
        Lock(LockMode.GOVERNANCE, now())


def test_a_bucket_is_asked_whether_it_keeps_locks(s3, place, theirs):
    assert place.keeps_locks()
    s3.fail(lambda environ: environ["QUERY_STRING"].startswith("object-lock"))
    with pytest.raises(StorageFailed, match=r"can't be locked: .*AccessDenied"):
        place.keeps_locks()
    s3.fail(
        lambda environ: environ["QUERY_STRING"].startswith("object-lock"),
        status="501 Not Implemented",
        code="NotImplemented",
    )
    assert not place.keeps_locks()
    assert list(theirs.list()) == []


@pytest.fixture
def kms_key(s3):
    return s3.kms.create_key(Description="of the tests")["KeyMetadata"]["KeyId"]


@pytest.mark.promise("RET-6")
@pytest.mark.parametrize("length", [0, LARGE])
def test_a_bucket_encrypts_with_the_key_that_is_named(s3, bucket, kms_key, length):
    storage = storage_from(f"s3://{bucket}/x", kms_key)
    ours, theirs = storage.for_tenant(OURS), storage.for_tenant(NEIGHBOUR)
    ours.write("a", [b"x", *pieces(length)])
    head = s3.client.head_object(Bucket=bucket, Key=f"x/t_{OURS.hex}/a")
    assert head["ServerSideEncryption"] == "aws:kms"
    assert head["SSEKMSKeyId"].endswith(kms_key)
    assert len(read(ours, "a")) == 1 + length
    s3.kms.disable_key(KeyId=kms_key)
    with pytest.raises(StorageFailed, match=r"KMS\.DisabledException"):
        read(ours, "a")
    with pytest.raises(StorageFailed, match=r"KMS\.DisabledException"):
        theirs.write("a", [b"x", *pieces(length)])
    assert not theirs.exists("a")
    s3.kms.enable_key(KeyId=kms_key)
    assert len(read(ours, "a")) == 1 + length


def test_a_key_that_is_not_there_is_said(s3, bucket):
    storage = storage_from(f"s3://{bucket}/x", str(uuid.uuid4()))
    for tenant in (OURS, NEIGHBOUR):
        with pytest.raises(StorageFailed, match=r"KMS\.NotFoundException"):
            storage.for_tenant(tenant).write("a", [b"x"])
    assert versions(s3, bucket) == []


def test_a_key_for_a_folder_stops_the_start(tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://freehold_app:x@localhost/x")
    monkeypatch.setenv("REDIS_URL", "redis://localhost")
    monkeypatch.setenv("FREEHOLD_CATALOG_DATABASE_URL", "postgresql://freehold_catalog:x@localhost/x")
    monkeypatch.setenv("FREEHOLD_STORAGE_KMS_KEY", "some-key")
    with pytest.raises(SettingsError, match="FREEHOLD_STORAGE_KMS_KEY is for a bucket"):
        Settings.read(tmp_path)
    monkeypatch.setenv("FREEHOLD_STORAGE", "s3://bucket/x")
    assert Settings.read(tmp_path).storage_kms_key == "some-key"
