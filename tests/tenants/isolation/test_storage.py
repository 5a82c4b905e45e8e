"""Files of a tenant are whole, its own, and the same in a folder and in a bucket."""

import errno
import hashlib
import subprocess
import sys
from datetime import timedelta

import pytest

from tenants.isolation import bucket
from tenants.isolation.storage import NotStored, Stored, storage_from
from tests.tenants.isolation.stored_files import LARGE, NEIGHBOUR, OURS, ROOT, large, one_client, read


@pytest.fixture(params=["folder", "bucket"])
def url(request, tmp_path, monkeypatch):
    if request.param == "folder":
        return (tmp_path / "a folder").as_uri()
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


def test_a_file_is_rewritten_in_its_place(ours, theirs):
    for storage in (ours, theirs):
        storage.write("file", [b"one", b"two"])
    assert ours.rewrite("file", lambda chunks: (chunk.upper() for chunk in chunks))
    assert read(ours, "file") == b"ONETWO"
    assert read(theirs, "file") == b"onetwo"
    assert not ours.rewrite("other", lambda chunks: chunks)
    assert not ours.exists("other")


def test_a_file_that_is_removed_or_replaced_while_it_is_rewritten_stays_so(ours):
    ours.write("removed", [b"secret"])
    ours.write("replaced", [b"older"])

    def removing(chunks):
        kept = b"".join(chunks)
        ours.delete("removed")
        yield kept

    def replacing(chunks):
        kept = b"".join(chunks)
        ours.write("replaced", [b"newer"])
        yield kept

    assert not ours.rewrite("removed", removing)
    assert not ours.rewrite("replaced", replacing)
    assert not ours.exists("removed")
    assert read(ours, "replaced") == b"newer"


def test_a_file_that_could_not_be_rewritten_stays_as_it_was(ours):
    ours.write("file", [b"whole"])

    def breaking(chunks):
        yield b"half"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ours.rewrite("file", breaking)
    assert read(ours, "file") == b"whole"
