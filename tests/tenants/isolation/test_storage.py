"""Files of a tenant are whole, its own, and the same in a folder and in a bucket."""

import errno
import hashlib
import os
import subprocess
import sys
from contextlib import ExitStack
from datetime import timedelta
from functools import cache
from pathlib import Path
from uuid import UUID

import pytest

from tenants.isolation import bucket
from tenants.isolation.storage import NotStored, StorageFailed, Stored, storage_from

OURS, NEIGHBOUR = UUID(int=1), UUID(int=2)
ROOT = Path(__file__).parents[3]
LARGE = 20 * 1024 * 1024


one_client = cache(bucket._new_client)


@pytest.fixture(params=["folder", "bucket"])
def url(request, tmp_path, monkeypatch):
    if request.param == "folder":
        return (tmp_path / "a folder").as_uri()
    # boto3 takes half a second to make a client, and all of these lead to one server.
    monkeypatch.setattr(bucket, "_new_client", one_client)
    return request.getfixturevalue("s3_storage_url")


@pytest.fixture
def storage(url):
    return storage_from(url)


@pytest.fixture
def ours(storage):
    return storage.for_tenant(OURS)


@pytest.fixture
def theirs(storage):
    return storage.for_tenant(NEIGHBOUR)


def read(storage, name):
    with storage.open_stream(name) as chunks:
        return b"".join(chunks)


def large(length=LARGE):
    chunk = bytes(range(256)) * 256
    for _ in range(length // len(chunk)):
        yield chunk


def test_what_is_written_is_read_again(ours):
    stored = ours.write("exports/one.zip", [b"hello ", b"", b"world"])
    assert stored == Stored(11)
    assert read(ours, "exports/one.zip") == b"hello world"


def test_an_empty_file_is_a_file(ours):
    assert ours.write("empty", []) == Stored(0)
    assert ours.exists("empty")
    assert read(ours, "empty") == b""


def test_a_large_file_comes_and_goes_in_chunks(ours):
    stored = ours.write("large", large())
    digest = hashlib.sha256()
    longest = 0
    with ours.open_stream("large") as chunks:
        for chunk in chunks:
            digest.update(chunk)
            longest = max(longest, len(chunk))
    assert stored == Stored(LARGE)
    assert digest.digest() == hashlib.sha256(b"".join(large())).digest()
    assert longest <= 1024 * 1024


def test_a_file_of_exactly_one_part_is_whole(ours):
    assert ours.write("part", large(8 * 1024 * 1024)).size == 8 * 1024 * 1024
    assert len(read(ours, "part")) == 8 * 1024 * 1024


def test_the_same_name_is_another_file_for_a_neighbour(ours, theirs):
    ours.write("exports/one.zip", [b"ours"])
    with pytest.raises(NotStored):
        read(theirs, "exports/one.zip")
    assert not theirs.exists("exports/one.zip")
    theirs.write("exports/one.zip", [b"theirs"])
    theirs.write("exports/two.zip", [b"theirs"])
    assert read(ours, "exports/one.zip") == b"ours"
    assert list(ours.list()) == ["exports/one.zip"]
    theirs.delete("exports/one.zip")
    assert read(ours, "exports/one.zip") == b"ours"


def test_writing_again_replaces_the_file(ours):
    ours.write("a", [b"first, and longer"])
    ours.write("a", [b"second"])
    assert read(ours, "a") == b"second"
    assert list(ours.list()) == ["a"]


def test_a_reader_keeps_the_file_it_began_with(ours):
    ours.write("a", [b"first"])
    with ours.open_stream("a") as chunks:
        ours.write("a", [b"second"])
        assert b"".join(chunks) == b"first"


def test_a_deleted_file_is_gone_and_may_be_deleted_again(ours):
    ours.write("a", [b"x"])
    ours.delete("a")
    ours.delete("a")
    assert not ours.exists("a")
    assert list(ours.list()) == []
    with pytest.raises(NotStored, match="There is no file"):
        read(ours, "a")


def test_the_start_of_a_name_is_no_file(ours):
    ours.write("exports/one.zip", [b"x"])
    assert not ours.exists("exports/one")
    assert not ours.exists("exports")


def test_files_are_listed_in_the_order_of_their_names(ours):
    names = ["b", "a/2", "a/1", "a.x", "a-b/c", "B"]
    for name in names:
        ours.write(name, [b"x"])
    assert list(ours.list()) == sorted(names)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "/",
            "/etc/passwd",
            "../t_00000000000000000000000000000002/a",
            "a/../b",
            "a/..",
            ".",
            "..",
            "./a",
        ),
        *(
            "a//b",
            "a/",
            "a\\b",
            "a\0",
            "a\n",
            ".hidden",
            "a/.hidden",
            "~/a b",
            "ü",
            "a" * 201,
            "a/" * 201 + "a",
        ),
        *("C:/a", "s3://x/y", "%2e%2e/a", "a?b"),
    ],
)
def test_no_name_leads_out_of_the_tenants_files(ours, name):
    for use in (lambda: ours.write(name, [b"x"]), lambda: ours.exists(name), lambda: ours.delete(name)):
        with pytest.raises(ValueError, match="can't be the name of a stored file"):
            use()
    with pytest.raises(ValueError, match="can't be the name"), ours.open_stream(name):
        pass


class GoneWrong(Exception):
    """What a test makes go wrong."""


def breaking_off(length, error):
    yield from large(length)
    raise error


@pytest.mark.parametrize("length", [0, 65536, LARGE])
@pytest.mark.parametrize("error", [GoneWrong(), OSError(errno.ECONNRESET, "gone"), KeyboardInterrupt()])
def test_a_write_that_breaks_off_leaves_nothing_and_says_why_itself(ours, url, request, length, error):
    with pytest.raises(type(error)) as raised:
        ours.write("a", breaking_off(length, error))
    assert raised.value is error
    assert not ours.exists("a")
    assert nothing_left(url, request)


def test_a_write_that_breaks_off_leaves_the_older_file_as_it_was(ours):
    ours.write("a", [b"older"])
    with pytest.raises(GoneWrong):
        ours.write("a", breaking_off(LARGE, GoneWrong()))
    assert read(ours, "a") == b"older"


def test_nobody_sees_a_file_that_is_being_written(ours):
    def watched():
        for number, chunk in enumerate(large()):
            if number % 64 == 0:
                assert not ours.exists("a")
                assert list(ours.list()) == []
            yield chunk

    ours.write("a", watched())
    assert ours.exists("a")


def test_what_goes_wrong_while_reading_is_not_taken_for_a_failure_of_storage(ours):
    ours.write("a", [b"x"])
    error = OSError(errno.ENOSPC, "the reader's own disk")
    with pytest.raises(OSError, match="the reader's own disk") as raised, ours.open_stream("a"):
        raise error
    assert raised.value is error


def nothing_left(url, request):
    if url.startswith("file:"):
        unfinished = request.getfixturevalue("tmp_path") / "a folder" / ".unfinished"
        return list(unfinished.iterdir()) == []
    return request.getfixturevalue("s3").left_open() == []


def test_what_a_killed_writer_left_is_swept_once_it_is_old(ours, storage, url, request):
    script = """
import os, signal, sys
from uuid import UUID
from tenants.isolation.storage import storage_from
def chunks():
    for _ in range(20):
        yield bytes(1024 * 1024)
    os.kill(os.getpid(), signal.SIGKILL)
storage_from(sys.argv[1]).for_tenant(UUID(int=1)).write("a", chunks())
"""
    done = subprocess.run([sys.executable, "-c", script, url], cwd=ROOT, check=False)
    assert done.returncode == -9
    assert not ours.exists("a")
    assert list(ours.list()) == []
    assert not nothing_left(url, request)
    assert storage.sweep_unfinished(timedelta(hours=1)) == 0
    assert storage.sweep_unfinished(timedelta(seconds=-5)) == 1
    assert nothing_left(url, request)


@pytest.mark.parametrize("wrong", ["", "folder", "file://host/folder", "file:folder", "s3://", "http://x/y"])
def test_an_address_that_is_none_is_refused(wrong):
    with pytest.raises(ValueError, match="should look like"):
        storage_from(wrong)


# ─── a local folder ──────────────────────────────────────────────────────────────────────────


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path, monkeypatch):
    ours = storage_from(tmp_path.as_uri()).for_tenant(OURS)
    ours.write("a", [b"older"])

    def full(_descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFailed, match="can't be written: the disk is full"):
        ours.write("a", [b"newer"])
    assert read(ours, "a") == b"older"
    assert list((tmp_path / ".unfinished").iterdir()) == []


def test_a_limit_of_the_system_in_the_middle_of_a_file_leaves_nothing(tmp_path):
    script = """
import resource, sys
from uuid import UUID
from tenants.isolation.storage import StorageFailed, storage_from
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    storage_from(sys.argv[1]).for_tenant(UUID(int=1)).write("a", [bytes(65536)] * 3)
except StorageFailed as failure:
    print(failure)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path.as_uri()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.endswith("can't be written: File too large.\n")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_files_are_their_owners_alone(tmp_path):
    storage_from(tmp_path.as_uri()).for_tenant(OURS).write("a", [b"x"])
    assert (tmp_path / f"t_{OURS.hex}" / "a").stat().st_mode & 0o077 == 0


def test_a_folder_that_can_not_be_made_is_said(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    ours = storage_from((tmp_path / "file").as_uri()).for_tenant(OURS)
    with pytest.raises(StorageFailed, match=r"can't be written: (Not a directory|File exists)"):
        ours.write("a", [b"x"])
    with pytest.raises(StorageFailed, match="can't be read: Not a directory"):
        read(ours, "a")


def test_a_folder_needs_no_boto3(tmp_path):
    script = """
import sys
from uuid import UUID
from tenants.isolation.storage import storage_from
storage_from(sys.argv[1]).for_tenant(UUID(int=1)).write("a", [b"x"])
print("boto3" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path.as_uri()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False\n"


# ─── a bucket ────────────────────────────────────────────────────────────────────────────────


def part_two(environ):
    return "partNumber=2" in environ["QUERY_STRING"]


def completion(environ):
    return environ["REQUEST_METHOD"] == "POST" and "uploadId=" in environ["QUERY_STRING"]


def single_put(environ):
    return environ["REQUEST_METHOD"] == "PUT" and "uploadId=" not in environ["QUERY_STRING"]


def abortion(environ):
    return environ["REQUEST_METHOD"] == "DELETE" and "uploadId=" in environ["QUERY_STRING"]


@pytest.mark.parametrize(
    ("goes_wrong", "length"), [(part_two, LARGE), (completion, LARGE), (single_put, 65536)]
)
def test_a_refusal_in_the_middle_leaves_no_object_and_no_open_upload(s3, s3_storage_url, goes_wrong, length):
    ours = storage_from(s3_storage_url).for_tenant(OURS)
    s3.fail(goes_wrong)
    with pytest.raises(StorageFailed, match=r"can't be written: .*AccessDenied"):
        ours.write("a", large(length))
    assert [fault.times for fault in s3.faults] == [0]
    assert not ours.exists("a")
    assert s3.left_open() == []


def test_a_hiccup_is_tried_again(s3, s3_storage_url):
    ours = storage_from(s3_storage_url).for_tenant(OURS)
    s3.fail(part_two, status="503 Slow Down", code="SlowDown")
    stored = ours.write("a", large())
    assert [fault.times for fault in s3.faults] == [0]
    assert stored == Stored(LARGE)
    assert read(ours, "a") == b"".join(large())


def test_an_upload_that_can_not_be_aborted_is_noted_and_swept_later(s3, s3_storage_url):
    storage = storage_from(s3_storage_url)
    s3.fail(part_two)
    s3.fail(abortion)
    with pytest.raises(StorageFailed) as raised:
        storage.for_tenant(OURS).write("a", large())
    assert "stays until the next sweep" in raised.value.__notes__[0]
    assert len(s3.left_open()) == 1
    assert storage.sweep_unfinished(timedelta(seconds=-5)) == 1
    assert s3.left_open() == []


def test_a_small_file_is_one_request(s3, s3_storage_url):
    ours = storage_from(s3_storage_url).for_tenant(OURS)
    ours.write("a", [b"x"])
    assert len(s3.requests) == 1


def test_a_missing_bucket_is_said_and_never_taken_for_a_missing_file(s3):
    ours = storage_from("s3://no-such-bucket/x").for_tenant(OURS)
    uses = [
        lambda: ours.write("a", [b"x"]),
        lambda: ours.exists("a"),
        lambda: list(ours.list()),
        lambda: read(ours, "a"),
    ]
    for use in uses:
        with pytest.raises(StorageFailed, match="NoSuchBucket") as raised:
            use()
        assert not isinstance(raised.value, NotStored)


def test_a_server_that_is_away_is_said(s3, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    ours = storage_from("s3://freehold/x").for_tenant(OURS)
    with pytest.raises(StorageFailed, match=r"can't be written: Could not connect"):
        ours.write("a", [b"x"])


def test_a_bucket_needs_no_prefix(s3):
    ours = storage_from("s3://freehold").for_tenant(OURS)
    ours.write("a", [b"x"])
    try:
        assert f"t_{OURS.hex}/a" in s3.stored()
    finally:
        ours.delete("a")


def test_a_forked_child_opens_connections_of_its_own(s3, s3_storage_url):
    storage = storage_from(s3_storage_url)
    storage.for_tenant(OURS).write("a", [b"x"])
    with ExitStack() as until_the_end:
        parent = storage._place._client
        until_the_end.callback(setattr, storage._place, "_made", (os.getpid(), parent))
        storage._place._made = (os.getpid() + 1, parent)
        assert storage._place._client is not parent
