"""Files of tenants in a bucket: refusals, hiccups and servers that are away, at any request of an upload."""

import os
from contextlib import ExitStack
from datetime import timedelta

import pytest

from tenants.isolation.storage import NotStored, StorageFailed, Stored, storage_from
from tests.tenants.isolation.stored_files import LARGE, OURS, large, read


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
