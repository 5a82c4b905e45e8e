"""AWS KMS and STS on loopback for the tests, as strict about the states of keys as AWS is.

Moto decrypts with keys that are disabled or waiting to be deleted, and with any key that is named: what stands before
it here does not.
"""

import base64
import io
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs

import pytest
from boto3.session import Session
from moto.kms.models import kms_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from tests.s3 import _Quiet

REGION, ACCOUNT = "eu-central-1", "123456789012"
NEEDS_AN_ENABLED_KEY = {
    "Encrypt",
    "Decrypt",
    "ReEncrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
}
ID_CHARACTERS = 36
Refusal = tuple[str, str]


@dataclass
class Kms:
    """A server of its own; `asked` are the operations that reached it."""

    denied: set[str] = field(default_factory=set)
    trusts: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    #: What is made of an answer of KMS or STS before it is sent, by the operation.
    lies: dict[str, Callable[[bytes], bytes]] = field(default_factory=dict)
    #: What everything that needs a key is refused with.
    refuses: "Refusal | None" = None

    def __post_init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._app, threaded=True, request_handler=_Quiet)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL_KMS": self.url,
            "AWS_ENDPOINT_URL_STS": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/nonexistent",
            "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        }

    @cached_property
    def client(self) -> Any:
        return Session("test", "test", region_name=REGION).client("kms", endpoint_url=self.url)

    def new_key(self) -> str:
        """The ARN of a new symmetric key."""
        return self.client.create_key()["KeyMetadata"]["Arn"]

    def disable(self, arn: str) -> None:
        self.client.disable_key(KeyId=_id_in(arn))

    def enable(self, arn: str) -> None:
        self.client.enable_key(KeyId=_id_in(arn))

    def delete_later(self, arn: str) -> None:
        self.client.schedule_key_deletion(KeyId=_id_in(arn), PendingWindowInDays=7)

    def destroy(self, arn: str) -> None:
        """As when the time of waiting is over: nobody has the key any more."""
        del kms_backends[ACCOUNT][REGION].keys[_id_in(arn)]

    def deny(self, arn: str) -> None:
        """As when the key's policy or grant no longer names us."""
        self.denied.add(_id_in(arn))

    def _app(self, environ: dict[str, Any], start_response: Any) -> Any:
        raw = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(raw)
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if target.startswith("TrentService."):
            operation = target.removeprefix("TrentService.")
            self.asked.append(operation)
            if operation in NEEDS_AN_ENABLED_KEY and (refusal := self._refusal(json.loads(raw))):
                start_response("400 Bad Request", [("Content-Type", "application/x-amz-json-1.1")])
                return [json.dumps({"__type": refusal[0], "message": refusal[1]}).encode()]
            if lie := self.lies.get(operation):
                return self._altered(lie, environ, start_response)
        elif b"AssumeRole" in raw and (said := self._untrusted(parse_qs(raw.decode()))):
            start_response("403 Forbidden", [("Content-Type", "text/xml")])
            return [
                f"<ErrorResponse><Error><Code>AccessDenied</Code><Message>{said}</Message></Error></ErrorResponse>".encode()
            ]
        elif b"AssumeRole" in raw and (lie := self.lies.get("AssumeRole")):
            return self._altered(lie, environ, start_response)
        return self._moto(environ, start_response)

    def _altered(self, lie: Callable[[bytes], bytes], environ: dict[str, Any], start_response: Any) -> Any:
        altered = lie(b"".join(self._moto(environ, lambda *_given: None)))
        headers = [("Content-Type", "application/x-amz-json-1.1"), ("Content-Length", str(len(altered)))]
        start_response("200 OK", headers)
        return [altered]

    def _refusal(self, said: dict[str, Any]) -> Refusal | None:
        if self.refuses:
            return self.refuses
        named = said.get("KeyId")
        blob = base64.b64decode(said.get("CiphertextBlob", ""))[:ID_CHARACTERS].decode("utf-8", "replace")
        if named and blob and self._id(named) != blob:
            return (
                "IncorrectKeyException",
                "The key ID in the request does not identify a key that can do this.",
            )
        key_id = self._id(named) if named else blob
        if key_id in self.denied:
            return "AccessDeniedException", "The ciphertext refers to a key that you may not use."
        key = kms_backends[ACCOUNT][REGION].keys.get(key_id)
        if key is None or key.key_state == "Enabled":
            return None
        if key.key_state == "Disabled":
            return "DisabledException", f"{key.arn} is disabled."
        return "KMSInvalidStateException", f"{key.arn} is pending deletion."

    def _id(self, named: str) -> str:
        backend = kms_backends[ACCOUNT][REGION]
        if named.startswith("alias/"):
            named = backend.get_key_id_from_alias(named)
        return backend.get_key_id(named)

    def _untrusted(self, said: dict[str, list[str]]) -> str | None:
        role = said.get("RoleArn", [""])[0]
        expected = self.trusts.get(role)
        if expected is None or said.get("ExternalId") != [expected]:
            return f"Nobody of us is authorized to perform sts:AssumeRole on {role}."
        return None


def _id_in(arn: str) -> str:
    return arn.rpartition("/")[2]


@pytest.fixture(scope="session")
def kms_server() -> Iterator[Kms]:
    server = Kms()
    yield server
    server.stop()


@pytest.fixture
def kms(kms_server: Kms, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kms]:
    """KMS, with boto3 led to it."""
    for name, value in kms_server.environment.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    yield kms_server
    kms_server.denied.clear()
    kms_server.trusts.clear()
    kms_server.asked.clear()
    kms_server.lies.clear()
    kms_server.refuses = None
