"""An S3 server on loopback for the tests, which can be told to fail."""

import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

import pytest
from boto3.session import Session
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from tests.strict_s3 import refusal

BUCKET = "freehold"
OWN = "their-own"
SECRET = "not-to-be-shown"

#: Moto says that every upload was begun then; ours are told apart by age.
ALWAYS_BEGUN = b"2010-11-10T20:48:33.000Z"


@dataclass
class Fault:
    """What goes wrong with the requests that match, as often as `times` says."""

    matches: Callable[[dict[str, str]], bool]
    status: str
    code: str
    times: int

    def answer(self, start_response):
        start_response(self.status, [("Content-Type", "application/xml")])
        return [f"<Error><Code>{self.code}</Code><Message>as the test wished</Message></Error>".encode()]


class S3:
    """A bucket on a server of our own; `environment` leads boto3 to it."""

    def __init__(self):
        self.faults: list[Fault] = []
        self.requests: list[str] = []
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._app, threaded=True, request_handler=_Quiet)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def environment(self):
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/nonexistent",
            "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        }

    @cached_property
    def client(self):
        return self.service("s3")

    @cached_property
    def kms(self):
        return self.service("kms")

    def service(self, name):
        return Session("test", "test", region_name="eu-central-1").client(name, endpoint_url=self.url)

    def fail(self, matches, *, status="403 Forbidden", code="AccessDenied", times=1):
        """Refuse the next requests for which `matches(environ)` is true. A 403 is not tried again."""
        self.faults.append(Fault(matches, status, code, times))

    def left_open(self, bucket=BUCKET, prefix=""):
        """The keys of uploads that were begun and neither completed nor aborted."""
        found = self.client.list_multipart_uploads(Bucket=bucket, Prefix=prefix)
        return [each["Key"] for each in found.get("Uploads", [])]

    def stored(self):
        return [each["Key"] for each in self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])]

    def _app(self, environ, start_response):
        self.requests.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}?{environ['QUERY_STRING']}")
        for fault in self.faults:
            if fault.times and fault.matches(environ):
                fault.times -= 1
                environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
                return fault.answer(start_response)
        if refused := refusal(environ):
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            return Fault(lambda _: True, *refused, 1).answer(start_response)
        answer = self._moto(environ, start_response)
        if environ["REQUEST_METHOD"] == "GET" and environ["QUERY_STRING"].startswith("uploads"):
            today = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z").encode()
            return [b"".join(answer).replace(ALWAYS_BEGUN, today)]
        return answer


class _Quiet(MotoRequestHandler):
    def log_request(self, *_details):
        """Requests are looked up in `S3.requests`, not on the screen."""


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3]:
    server = S3()
    server.client.create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    yield server
    server.stop()


@pytest.fixture(scope="session")
def own_bucket(s3_server: S3) -> dict[str, str]:
    """A bucket that is a tenant's own, as a schedule of exports names it."""
    there = {"LocationConstraint": "eu-central-1"}
    s3_server.client.create_bucket(Bucket=OWN, CreateBucketConfiguration=there)
    return {
        "name": OWN,
        "region": "eu-central-1",
        "endpoint": s3_server.url,
        "access_key_id": "theirs",
        "secret_access_key": SECRET,
    }


@pytest.fixture
def s3(s3_server, monkeypatch) -> Iterator[S3]:
    """The S3 server, with boto3 led to it, nothing asked and nothing going wrong yet."""
    s3_server.faults.clear()
    s3_server.requests.clear()
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    yield s3_server
    s3_server.faults.clear()
    s3_server.requests.clear()


@pytest.fixture
def s3_storage_url(s3) -> str:
    """A place in the bucket that no other test uses."""
    return f"s3://{BUCKET}/{uuid.uuid4().hex}"


@pytest.fixture
def bucket(s3) -> str:
    """A bucket with versions and locks."""
    name = f"b{uuid.uuid4().hex}"
    s3.client.create_bucket(
        Bucket=name,
        CreateBucketConfiguration={"LocationConstraint": "eu-central-1"},
        ObjectLockEnabledForBucket=True,
    )
    return name
