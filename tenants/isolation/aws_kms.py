"""A key of keys that never leaves AWS KMS, or whatever speaks its protocol at `AWS_ENDPOINT_URL`.

Each wrapped key is bound to the tenant and version it is for by its encryption context, which KMS authenticates and
puts into the key owner's CloudTrail log. What KMS answers is not taken on trust: what it closed it has to open again
before anything is sealed with it, and beside the wrapped key lies a check that a key of anybody else does not pass.
"""

import binascii
import hmac
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tenants.foundation.encryption import Unreadable, unambiguous
from tenants.isolation.keys import KeyName, KeyWithheld

#: What a key wrapped by ours begins with, and one wrapped by a key that a tenant brought.
OURS, BROUGHT = b"\x03", b"\x04"
#: What comes after that where a check of the key follows; nothing that KMS closed begins so.
CHECKED = b"\x00"
CHECK_BYTES = 16
KMS = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
SHORTEST_SESSION_SECONDS = 900
NOT_OPENED = ("InvalidCiphertextException", "IncorrectKeyException")
#: What KMS and STS say, as the code of our refusal, and the rest of the sentence.
REASONS = {
    "DisabledException": ("key_disabled", "is disabled"),
    "NotFoundException": ("key_not_found", "does not exist (any more)"),
    "AccessDeniedException": ("key_access_denied", "may not be used by us"),
    "AccessDenied": ("key_access_denied", "may not be used by us"),
    "InvalidGrantTokenException": ("key_access_denied", "may not be used by us"),
    "ExpiredTokenException": (
        "key_access_denied",
        "may not be used with our credentials, which have expired",
    ),
    "UnrecognizedClientException": ("key_access_denied", "may not be used with our credentials"),
    "InvalidClientTokenId": ("key_access_denied", "may not be used with our credentials"),
    "InvalidKeyUsageException": ("key_unsuitable", "is not a symmetric key for encryption"),
    "InvalidArnException": ("key_not_found", "has no such name"),
    "KMSInvalidStateException": ("key_unusable", "is in a state in which it can't be used"),
}
PENDING = ("key_pending_deletion", "is waiting to be deleted")
UNREACHABLE = ("key_unreachable", "can't be reached")
ANOTHER = ("key_unusable", "does not give back what was closed with it")
NONSENSE = ("key_unusable", "can't be used, because what answers for it says what KMS never says")
#: What boto3 raises when it is answered with what does not fit its description of KMS or STS.
NOT_UNDERSTOOD = (
    ResponseParserError,
    binascii.Error,
    TypeError,
    AttributeError,
    KeyError,
    RecursionError,
)
_making = Lock()


@dataclass(frozen=True)
class Credentials:
    """How KMS is entered: in a region, with our own credentials or in a role that somebody gave us."""

    region: str | None = None
    role_arn: str | None = None
    external_id: str | None = None


class AwsKms:
    """Wraps keys with one symmetric key of KMS. `mark` is the first byte of what it wraps."""

    def __init__(
        self,
        key_id: str,
        credentials: Credentials | None = None,
        *,
        mark: bytes = OURS,
        owner: str = "The key of keys",
    ) -> None:
        self.key_id, self._mark, self._owner = key_id, mark, owner
        self._credentials = credentials or Credentials(region_of(key_id))
        self._made: tuple[int, Any] | None = None

    def __repr__(self) -> str:
        return f"aws-kms://{self.key_id}"

    def wrap(self, key: bytes, name: KeyName) -> bytes:
        """Closed, and opened again: nothing else has this key once it is forgotten. Raises KeyWithheld."""
        with self._in_words():
            answer = self._client().encrypt(
                KeyId=self.key_id, Plaintext=key, EncryptionContext=_context(name)
            )
        blob = self._bytes(answer, "CiphertextBlob")
        try:
            if key in blob or self._decrypted(blob, name) != key:
                raise self._withheld(*ANOTHER)
        except Unreadable as error:
            raise self._withheld(*ANOTHER, error) from error
        return self._mark + CHECKED + _check(key, name) + blob

    def unwrap(self, wrapped: bytes, name: KeyName) -> bytes:
        """Raises KeyWithheld, and Unreadable for what was wrapped by another key or for another name."""
        if wrapped[:1] != self._mark:
            raise Unreadable("A wrapped key does not open.")
        if wrapped[1:2] != CHECKED:  # by a version of this program that kept no check
            return self._decrypted(wrapped[1:], name)
        check, blob = wrapped[2 : 2 + CHECK_BYTES], wrapped[2 + CHECK_BYTES :]
        key = self._decrypted(blob, name)
        if not hmac.compare_digest(check, _check(key, name)):
            raise self._withheld(*ANOTHER)
        return key

    def _decrypted(self, blob: bytes, name: KeyName) -> bytes:
        with self._in_words():
            answer = self._client().decrypt(
                CiphertextBlob=blob, KeyId=self.key_id, EncryptionContext=_context(name)
            )
        return self._bytes(answer, "Plaintext")

    def _bytes(self, answer: Mapping[str, Any], name: str) -> bytes:
        found = answer.get(name)
        if not isinstance(found, bytes) or not found:
            raise self._withheld(*NONSENSE)
        return found

    def _client(self) -> Any:
        """Ours is made once for each process. In a role it is made each time: it may have been taken away meanwhile."""
        said = self._credentials
        if said.role_arn:
            return _in_role(said)
        process = os.getpid()
        if self._made is None or self._made[0] != process:
            self._made = (process, _client("kms", said.region))
        return self._made[1]

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            said = error.response.get("Error", {})
            if said.get("Code") in NOT_OPENED:
                raise Unreadable("A wrapped key does not open.") from None
            raise self._withheld(*_reason(said), error) from error
        except NOT_UNDERSTOOD as error:
            raise self._withheld(*NONSENSE, error) from error
        except (BotoCoreError, ValueError) as error:
            raise self._withheld(*UNREACHABLE, error) from error

    def _withheld(self, code: str, is_so: str, error: Exception | None = None) -> KeyWithheld:
        detail = f"{self._owner} {is_so}, so what is sealed can't be opened or sealed at the moment."
        said = f"{self._owner} {is_so}: {self.key_id}"
        return KeyWithheld(detail, code=code, message=f"{said} ({error})" if error else said)


def region_of(key_id: str) -> str | None:
    """The region that an ARN names; None for an alias, whose region the environment says."""
    if not key_id.startswith("arn:"):
        return None
    _, _partition, _service, region, _ = key_id.split(":", 4)
    return region


def _check(key: bytes, name: KeyName) -> bytes:
    """What shows that a key is this tenant's, of this version, and tells nothing of it (HKDF-SHA-256, RFC 5869)."""
    use = unambiguous("wrapped key", name.tenant_id.bytes, str(name.version))
    return HKDF(SHA256(), CHECK_BYTES, None, use).derive(key)


def _context(name: KeyName) -> dict[str, str]:
    return {"tenant": str(name.tenant_id), "version": str(name.version)}


def _in_role(said: Credentials) -> Any:
    external = {"ExternalId": said.external_id} if said.external_id else {}
    sts = _client("sts", said.region)
    given = sts.assume_role(
        RoleArn=said.role_arn,
        RoleSessionName="freehold",
        DurationSeconds=SHORTEST_SESSION_SECONDS,
        **external,
    )["Credentials"]
    return _client(
        "kms",
        said.region,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )


def _client(service: str, region: str | None, **credentials: str) -> Any:
    """Of one session, which has read the descriptions of the services: that takes longer than all else."""
    with _making:
        return _session().client(service, region_name=region, config=KMS, **credentials)


@cache
def _session() -> Session:
    return Session()


def _reason(said: dict[str, str]) -> tuple[str, str]:
    code, message = said.get("Code", ""), said.get("Message", "").lower()
    if code == "KMSInvalidStateException" and "pending" in message and "deletion" in message:
        return PENDING
    return REASONS.get(code, UNREACHABLE)
