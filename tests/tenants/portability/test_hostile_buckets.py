"""A bucket of a tenant may be anybody's server: whatever it answers, it takes neither memory nor time of ours."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tenants.isolation import own_bucket
from tenants.isolation.own_bucket import BucketAddress, BucketFailed, OwnBucket
from tenants.isolation.own_uploads import ANSWERS as MOST_ANSWERS
from tenants.isolation.own_uploads import Upload, begin_upload
from tests.workspace import Workspace, in_both

EIGHT = 8 * 1024 * 1024
SAID = b"Freehold may write here."
Headers = dict[str, str]


class Stranger(ThreadingHTTPServer):
    """Speaks something like S3: takes whatever it is given, and answers a GET as it likes."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: Callable[[int], tuple[Headers, bytes]] = lambda _number: ({}, b"")
        self.put: Headers = {"ETag": '"x"'}
        self.asked: list[str] = []
        self.waits = threading.Event()
        self.waits.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Stranger

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer(200, self.server.put, b"")

    do_POST = do_DELETE = do_PUT  # noqa: N815 - the names that the server looks for

    def do_GET(self) -> None:
        number = self.server.asked.count("GET")
        self._answer(206, *self.server.got(number))

    def _answer(self, status: int, headers: Headers, body: bytes) -> None:
        self.server.asked.append(self.command)
        self.server.waits.wait(30)
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: Any) -> None:
        """Nobody reads it."""


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    server = Stranger()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.waits.set()
    server.shutdown()
    thread.join()
    server.server_close()


def schedule(stranger: Stranger) -> dict[str, Any]:
    keys = {"access_key_id": "theirs", "secret_access_key": "secret"}
    bucket = {"name": "anybodys", "region": "eu-central-1", "endpoint": stranger.url, **keys}
    return {"name": "Nightly", "cron": "0 2 * * *", "bucket": bucket}


ANSWERS: dict[str, Callable[[int], tuple[Headers, bytes]]] = {
    "without end": lambda number: (
        {"Content-Range": f"bytes {number * EIGHT}-{number * EIGHT + EIGHT - 1}/{10**15}"}, bytes(EIGHT)
    ),
    "byte by byte": lambda number: ({"Content-Range": f"bytes {number}-{number}/{len(SAID)}"}, b"F"),
    "growing": lambda number: ({"Content-Range": f"bytes {number}-{number}/{number + 2}"}, b"F"),
    "without a range": lambda _: ({}, SAID),
    "a range of nonsense": lambda _: ({"Content-Range": "bytes whatever/*"}, SAID),
    "something else": lambda _: ({"Content-Range": f"bytes 0-23/{len(SAID)}"}, bytes(len(SAID))),
}  # fmt: skip


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
def test_a_bucket_that_answers_as_it_likes_is_refused_after_the_first_answer(
    acme: Workspace, neighbour: Workspace, stranger: Stranger, answer: Callable[[int], tuple[Headers, bytes]]
) -> None:
    stranger.got = answer
    refused = acme.admin.post("/export-schedules", schedule(stranger))
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["bucket"])
    assert stranger.asked.count("GET") == 1
    assert in_both("/export-schedules", acme.admin, neighbour.admin) == []


def test_a_bucket_that_lets_us_wait_is_given_up(
    acme: Workspace, neighbour: Workspace, stranger: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_bucket, "TRYING_SECONDS", 0.3)
    stranger.waits.clear()
    refused = acme.admin.post("/export-schedules", schedule(stranger))
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["bucket"])
    assert "took longer" in refused.json["errors"]["bucket"][0]
    assert set(stranger.asked) <= {"PUT"}
    assert in_both("/export-schedules", acme.admin, neighbour.admin) == []


def test_a_copy_that_is_read_back_ends_where_it_was_written_to(
    neighbour: Workspace, stranger: Stranger
) -> None:
    bucket = OwnBucket(BucketAddress("anybodys", "eu-central-1", stranger.url), "theirs", "secret")
    stranger.got = lambda _number: ({"Content-Range": f"bytes 0-0/{10**15}"}, bytes(EIGHT))
    with pytest.raises(BucketFailed, match="something else"):
        list(bucket.read("copy", EIGHT))
    assert stranger.asked == ["GET"]
    stranger.put = {}
    with pytest.raises(BucketFailed, match="UploadId"):
        begin_upload(bucket, "copy")
    assert neighbour.admin.get("/export-schedules").status_code == 200


def _listed(parts: str, more: str = "false") -> bytes:
    said = f"<ListPartsResult><IsTruncated>{more}</IsTruncated>{parts}</ListPartsResult>"
    return b'<?xml version="1.0" encoding="UTF-8"?>' + said.encode()


PART = "<Part><PartNumber>{}</PartNumber><ETag>x</ETag><Size>{}</Size></Part>"
LISTS: dict[str, Callable[[int], bytes]] = {
    "without end": lambda number: _listed(PART.format(number + 1, EIGHT), "true"),
    "the same again": lambda _: _listed(PART.format(1, EIGHT), "true"),
    "parts that can't be": lambda _: _listed(PART.format(-1, EIGHT)),
    "parts without a name": lambda _: _listed("<Part><PartNumber>1</PartNumber><Size>8</Size></Part>"),
    "nonsense": lambda _: _listed(PART.format("one", "large")),
    "no list": lambda _: b"not XML at all",
}


@pytest.mark.parametrize("listed", LISTS.values(), ids=LISTS.keys())
def test_a_bucket_that_lists_parts_as_it_likes_is_given_up(
    neighbour: Workspace, stranger: Stranger, listed: Callable[[int], bytes]
) -> None:
    stranger.got = lambda number: ({"Content-Type": "application/xml"}, listed(number))
    bucket = OwnBucket(BucketAddress("anybodys", "eu-central-1", stranger.url), "theirs", "secret")
    with pytest.raises(BucketFailed):
        Upload(bucket, "copy", "upload").arrived()
    assert stranger.asked.count("GET") <= MOST_ANSWERS
    assert neighbour.admin.get("/export-schedules").status_code == 200
