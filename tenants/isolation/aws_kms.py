"""A key of keys that never leaves AWS KMS, or whatever speaks its protocol at `AWS_ENDPOINT_URL`.

Each wrapped key is bound to the tenant and version it is for by its encryption context, which KMS authenticates and
puts into the key owner's CloudTrail log.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tenants.foundation.encryption import Unreadable
from tenants.isolation.keys import KeyName, KeyWithheld

#: What a key wrapped by ours begins with, and one wrapped by a key that a tenant brought.
OURS, BROUGHT = b"\x03", b"\x04"
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
        """Raises KeyWithheld."""
        with self._in_words():
            answer = self._client().encrypt(
                KeyId=self.key_id, Plaintext=key, EncryptionContext=_context(name)
            )
        blob: bytes = answer["CiphertextBlob"]
        return self._mark + blob

    def unwrap(self, wrapped: bytes, name: KeyName) -> bytes:
        """Raises KeyWithheld, and Unreadable for what was wrapped by another key or for another name."""
        if wrapped[:1] != self._mark:
            raise Unreadable("A wrapped key does not open.")
        with self._in_words():
            answer = self._client().decrypt(
                CiphertextBlob=wrapped[1:], KeyId=self.key_id, EncryptionContext=_context(name)
            )
        key: bytes = answer["Plaintext"]
        return key

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
        except (BotoCoreError, ValueError) as error:
            raise self._withheld(*UNREACHABLE, error) from error

    def _withheld(self, code: str, is_so: str, error: Exception) -> KeyWithheld:
        detail = f"{self._owner} {is_so}, so what is sealed can't be opened or sealed at the moment."
        return KeyWithheld(detail, code=code, message=f"{self._owner} {is_so}: {self.key_id} ({error})")


def region_of(key_id: str) -> str | None:
    """The region that an ARN names; None for an alias, whose region the environment says."""
    if not key_id.startswith("arn:"):
        return None
    _, _partition, _service, region, _ = key_id.split(":", 4)
    return region


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
