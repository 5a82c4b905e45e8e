"""Files of all tenants in an S3 bucket, or in whatever speaks S3 at `AWS_ENDPOINT_URL`."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tenants.foundation.clock import now
from tenants.foundation.pieces import in_pieces, marking_the_last
from tenants.isolation.parts import PART_BYTES, Parts
from tenants.isolation.storage import Lock, NotStored, StillLocked, StorageFailed
from tenants.isolation.versions import (
    CHECKSUM,
    keeps_locks,
    lock_asked_for,
    locked_until,
    make_sure_of,
    versions_of,
)

CHUNK_BYTES = 1024 * 1024


class Bucket:
    """A place for files under a prefix of one bucket."""

    def __init__(self, name: str, prefix: str, kms_key: str | None = None) -> None:
        self._name, self._prefix = name, f"{prefix}/" if prefix else ""
        # A key of the bucket saves a request to KMS for each object.
        kms = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key, "BucketKeyEnabled": True}
        self._kept = kms if kms_key else {}
        self._made: tuple[int, Any] | None = None

    def write(self, key: str, chunks: Iterable[bytes], lock: Lock | None = None) -> None:
        self._write(key, chunks, self._kept | lock_asked_for(lock) | CHECKSUM)
        if lock is not None:
            self._must_be_locked(key, lock)

    def rewrite(self, key: str, change: Callable[[Iterator[bytes]], Iterable[bytes]]) -> bool:
        try:
            with _in_words("read", key):
                answer = self._client.get_object(**self._at(key))
            body = answer["Body"]
            with body:
                made, conditions = self._kept | CHECKSUM, {"IfMatch": answer["ETag"]}
                self._write(key, change(_chunks(body, key)), made, conditions)
        except (NotStored, _ChangedMeanwhile):
            return False
        return True

    def _write(
        self,
        key: str,
        chunks: Iterable[bytes],
        made: dict[str, Any],
        conditions: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """One request for a small file, parts for a large one: S3 shows the object after the last."""
        parts = Parts(self._client, self._at(key), made)
        try:
            for piece, last in marking_the_last(in_pieces(chunks, PART_BYTES)):
                with _in_words("written", key):
                    if last and not parts.begun:
                        self._client.put_object(**self._at(key), Body=piece, **made, **conditions)
                        return
                    parts.add(piece)
            with _in_words("written", key):
                parts.complete(conditions)
        except BaseException as error:
            parts.abort(error)
            raise

    def _must_be_locked(self, key: str, lock: Lock) -> None:
        """A lock that was asked for and passed over, as some servers do with parts, is as good as a failed write."""
        try:
            with _in_words("locked", key):
                make_sure_of(lock, self._client, self._at(key))
        except StorageFailed as error:
            try:
                self.delete(key)
            except StorageFailed as other:
                error.add_note(f"It is still there: {other}")
            raise

    @contextmanager
    def open_stream(self, key: str) -> Iterator[Iterator[bytes]]:
        with _in_words("read", key):
            body = self._client.get_object(**self._at(key))["Body"]
        with body:
            yield _chunks(body, key)

    def delete(self, key: str) -> None:
        """Every version of it: in a bucket with versions, a plain deletion only hides the last one."""
        at = self._at(key)
        with _in_words("deleted", key):
            for version in versions_of(self._client, at):
                try:
                    self._client.delete_object(**at, **version)
                except ClientError as error:
                    if until := locked_until(self._client, at | version):
                        raise StillLocked(f"The file {key} is locked until {until}.", until) from error
                    raise

    def exists(self, key: str) -> bool:
        """By listing: to a HEAD, a missing bucket looks like a missing file."""
        at = self._at(key)
        with _in_words("looked for", key):
            answer = self._client.list_objects_v2(Bucket=at["Bucket"], Prefix=at["Key"], MaxKeys=1)
        return any(found["Key"] == at["Key"] for found in answer.get("Contents", ()))

    def list(self, prefix: str) -> Iterator[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._name, Prefix=self._prefix + prefix
        )
        with _in_words("listed", prefix):
            for page in pages:
                for found in page.get("Contents", ()):
                    yield found["Key"].removeprefix(self._prefix)

    def sweep_unfinished(self, older_than: timedelta) -> int:
        latest, swept = now() - older_than, 0
        pages = self._client.get_paginator("list_multipart_uploads").paginate(
            Bucket=self._name, Prefix=self._prefix
        )
        with _in_words("swept", self._prefix):
            for page in pages:
                for upload in page.get("Uploads", ()):
                    if upload["Initiated"] <= latest:
                        self._client.abort_multipart_upload(
                            Bucket=self._name, Key=upload["Key"], UploadId=upload["UploadId"]
                        )
                        swept += 1
        return swept

    def keeps_locks(self) -> bool:
        with _in_words("locked", self._prefix or "/"):
            return keeps_locks(self._client, self._name)

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self._name, "Key": self._prefix + key}

    @property
    def _client(self) -> Any:
        """One for each process: its connections must not be shared with a forked child."""
        process = os.getpid()
        if self._made is None or self._made[0] != process:
            try:
                self._made = (process, _new_client())
            except (BotoCoreError, ValueError) as error:
                raise StorageFailed(f"The bucket {self._name} can't be reached: {error}") from error
        return self._made[1]


class _ChangedMeanwhile(StorageFailed):
    """The object is no longer the one that was read (RFC 9110, 13.1.1)."""


def _new_client() -> Any:
    session = Session()
    client = session.client("s3", config=_config())
    host = urlsplit(client.meta.endpoint_url).hostname or ""
    if ".amazonaws." in host:
        return client
    # Other servers rarely answer to a name for each bucket.
    return session.client("s3", config=_config(s3={"addressing_style": "path"}))


def _config(**options: Any) -> Any:
    return Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard"}, **options)


def _chunks(body: Any, key: str) -> Iterator[bytes]:
    with _in_words("read", key):
        yield from body.iter_chunks(CHUNK_BYTES)


@contextmanager
def _in_words(done: str, key: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code")
        if code == "NoSuchKey":
            raise NotStored(f"There is no file {key}.") from error
        if code in ("PreconditionFailed", "ConditionalRequestConflict"):
            raise _ChangedMeanwhile(f"The file {key} changed meanwhile.") from error
        raise StorageFailed(f"The file {key} can't be {done}: {error}") from error
    except BotoCoreError as error:
        raise StorageFailed(f"The file {key} can't be {done}: {error}") from error
