"""A bucket that belongs to the tenant: boto3 signs and speaks S3, and every request leaves through the one door out."""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from time import monotonic
from typing import Any

from boto3.session import Session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from tenants.foundation.errors import Unavailable
from tenants.foundation.exchange import OURS, Limits, Request
from tenants.foundation.outbound import ANY_HOST, processor
from tenants.foundation.tables import Purpose
from tenants.foundation.way_out import outbound
from tenants.isolation.parts import PART_BYTES

BUCKETS = processor("tenants' own buckets", purposes=[Purpose.PORTABILITY], hosts=[ANY_HOST])
LIMITS = Limits(seconds=120, bytes=PART_BYTES + 64 * 1024)
#: Somebody waits while a bucket is tried, and so does a connection of the database.
TRYING_SECONDS = 20.0
#: `Expect` would have the server wait for a word that our exchange never sends.
NOT_SENT = OURS | {"expect"}
OPTIONS = {
    "connect_timeout": 5,
    "retries": {"mode": "standard", "max_attempts": 3},
    # A setting of this process would lead somebody else's request to our own storage.
    "ignore_configured_endpoint_urls": True,
    # The body is signed as a whole; checksums of boto3's own would change how it is sent.
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}
SENTENCES = {
    "NoSuchBucket": "There is no such bucket.",
    "InvalidAccessKeyId": "The access key is not known there.",
    "SignatureDoesNotMatch": "The secret does not belong to the access key.",
    "AccessDenied": (
        "The key may not do this there: it has to put, get and delete objects under the prefix. Or the bucket belongs to"
        " another account than was said."
    ),
    "NoSuchKey": "The object is not there any more.",
    "NoSuchUpload": "The unfinished upload is not there any more.",
}


class BucketFailed(Unavailable):
    """The tenant's bucket did not do what it was asked; the message says what it answered.

    `answered` is S3's own word for it, if it was one of these.
    """

    def __init__(self, detail: str, answered: str = "") -> None:
        super().__init__(detail)
        self.answered = answered


@dataclass(frozen=True, slots=True)
class BucketAddress:
    """Where a bucket is; without an endpoint it is at Amazon's in that region.

    With the AWS account that it belongs to it is used while it does: who deletes a bucket frees its name for anybody.
    """

    name: str
    region: str
    endpoint: str | None = None
    account_id: str | None = None


@dataclass(frozen=True, slots=True)
class OwnBucket:
    """Objects in a bucket that the tenant named, with keys that the tenant gave."""

    address: BucketAddress
    access_key_id: str
    secret: str = field(repr=False)

    def read(self, key: str, size: int) -> Iterator[bytes]:
        """The object of so many bytes in chunks, each asked for by itself. Raises BucketFailed, also for another size."""
        yield from self._read(self.client(), key, size)

    def _read(self, client: Any, key: str, size: int) -> Iterator[bytes]:
        """Whoever answers may be anybody: how much it is, and in how many answers, is not theirs to say."""
        begin = 0
        while begin < size:
            asked = f"bytes={begin}-{begin + PART_BYTES - 1}"
            with in_words():
                answer = client.get_object(**self.at(key), Range=asked)
                chunk = answer["Body"].read()
            if said(answer, "ContentRange").rpartition("/")[2] != str(size):
                raise BucketFailed("The bucket has something else than what was written there.")
            if len(chunk) != min(PART_BYTES, size - begin):
                raise BucketFailed("The bucket gave less than it has.")
            begin += len(chunk)
            yield chunk

    def delete(self, key: str) -> None:
        """Make sure that there is no such object. Raises BucketFailed."""
        with in_words():
            self.client().delete_object(**self.at(key))

    def try_out(self, key: str) -> None:
        """Write an object, read it and remove it. Raises BucketFailed, and OutboundRefused for an endpoint inside."""
        content, client = b"Freehold may write here.", self.client(ends=monotonic() + TRYING_SECONDS)
        with in_words():
            client.put_object(**self.at(key), Body=content)
        found = b"".join(self._read(client, key, len(content)))
        with in_words():
            client.delete_object(**self.at(key))
        if found != content:
            raise BucketFailed("What was written there came back as something else.")

    def at(self, key: str) -> dict[str, str]:
        """What names an object in a request of boto3's, and whose bucket it has to be in."""
        return {**self.whole, "Key": key}

    @property
    def whole(self) -> dict[str, str]:
        """What names the bucket itself, and whose it has to be."""
        owner = self.address.account_id
        return {"Bucket": self.address.name, **({"ExpectedBucketOwner": owner} if owner else {})}

    def client(self, ends: float | None = None) -> Any:
        """Somebody who speaks S3 for us; `ends` is the moment (of `monotonic`) at which it has had its time."""
        style = {
            "addressing_style": "path" if self.address.endpoint else "virtual",
            "payload_signing_enabled": True,
        }
        client = Session().client(
            "s3",
            region_name=self.address.region,
            endpoint_url=self.address.endpoint,
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret,
            config=Config(**OPTIONS, s3=style),
        )
        client.meta.events.register("before-send.s3", partial(_through_the_door, ends))
        return client


def _through_the_door(ends: float | None, request: AWSPreparedRequest, **_event: Any) -> AWSResponse:
    """boto3's way out is ours: pinned public address, https, no proxy, no redirect, limits on time and size."""
    sent = {name: _text(value) for name, value in request.headers.items() if name.lower() not in NOT_SENT}
    body = request.body.read() if hasattr(request.body, "read") else request.body
    asked = Request(request.method, request.url, sent, bytes(body) if body else None)
    limits = LIMITS if ends is None else replace(LIMITS, seconds=max(ends - monotonic(), 0.001))
    answer = outbound().send(BUCKETS, asked, purpose=Purpose.PORTABILITY, limits=limits)
    return AWSResponse(request.url, answer.status, answer.headers, _Raw(answer.body))


class _Raw(io.BytesIO):
    """A body as botocore reads one."""

    def stream(self, *_args: Any, **_options: Any) -> Iterator[bytes]:
        yield self.read()


def said(answer: Mapping[str, Any], name: str) -> str:
    """What S3 says with every such answer."""
    if not isinstance(found := answer.get(name), str):
        raise BucketFailed(f"The bucket answered without {name}, which S3 always says.")
    return found


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


@contextmanager
def in_words() -> Iterator[None]:
    """Say in a sentence what a bucket would not do. Raises BucketFailed with what it called that."""
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        raise BucketFailed(SENTENCES.get(code, f"The bucket answered: {code}."), answered=code) from error
    except BotoCoreError as error:
        raise BucketFailed(f"The bucket can't be used: {error}") from error
    except (ResponseParserError, ValueError) as error:  # a number in an answer that is none is a ValueError
        raise BucketFailed("The bucket answered with something that S3 never says.") from error
