"""A large object on its way into a tenant's bucket: parts that have arrived stay, and whoever comes next goes on."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import repeat
from time import monotonic
from typing import Any, NamedTuple

import structlog

from tenants.foundation.pieces import in_pieces
from tenants.isolation.own_bucket import TRYING_SECONDS, BucketFailed, OwnBucket, in_words, said
from tenants.isolation.parts import PART_BYTES

log = structlog.get_logger(__name__)
#: S3 lists a thousand parts at a time, of ten thousand at most; a server that says more makes things up.
ANSWERS, MOST_PARTS = 20, 10_000
#: What is answered when there is nothing to go on with, or when a key may not ask or a server can't tell.
LOST = frozenset({"NoSuchUpload", "AccessDenied", "NotImplemented", "MethodNotAllowed"})


class UploadLost(BucketFailed):
    """The bucket no longer has the unfinished upload, or doesn't say what it has of it."""


class Arrived(NamedTuple):
    """A part that the bucket has."""

    size: int
    tag: str


@dataclass(frozen=True, slots=True)
class Upload:
    """An object that is begun and not there yet; `id` is the bucket's name for that."""

    bucket: OwnBucket
    key: str
    id: str

    def arrived(self) -> dict[int, Arrived]:
        """The parts that are there already, by number. Raises UploadLost, and BucketFailed when it can't be asked now."""
        client, found, last = self.bucket.client(), dict[int, Arrived](), 0
        for _ in repeat(None, ANSWERS):
            try:
                with in_words():
                    answer = client.list_parts(**self._at, PartNumberMarker=last)
            except BucketFailed as error:
                raise _lost(error) from error
            found |= {number: part for number, part in map(_part, answer.get("Parts") or ()) if number > last}
            if not answer.get("IsTruncated"):
                return found
            last = max(found, default=last)
        raise UploadLost("The bucket lists more parts than an upload can have.")

    def fill(self, pieces: Iterable[bytes], arrived: Mapping[int, Arrived], tell: Callable[[], None]) -> None:
        """Send what has not arrived of these bytes, then have the object be there. Raises BucketFailed.

        `pieces` are the whole of it, and the same as before. `tell` is called before each part.
        """
        client, parts = self.bucket.client(), []
        for number, piece in enumerate(in_pieces(pieces, PART_BYTES), start=1):
            tell()
            there = arrived.get(number)
            tag = there.tag if there and there.size == len(piece) else self._send(client, number, piece)
            parts.append({"PartNumber": number, "ETag": tag})
        with in_words():
            client.complete_multipart_upload(**self._at, MultipartUpload={"Parts": parts})

    def end(self) -> None:
        """Have the bucket forget it, which it may have done already. Raises BucketFailed."""
        client = self.bucket.client(ends=monotonic() + TRYING_SECONDS)
        try:
            with in_words():
                client.abort_multipart_upload(**self._at)
        except BucketFailed as error:
            if error.answered != "NoSuchUpload":
                raise

    def _send(self, client: Any, number: int, piece: bytes) -> str:
        with in_words():
            return said(client.upload_part(**self._at, PartNumber=number, Body=piece), "ETag")

    @property
    def _at(self) -> dict[str, str]:
        return {**self.bucket.at(self.key), "UploadId": self.id}


def begin_upload(bucket: OwnBucket, key: str) -> Upload:
    """Begin an object. Raises BucketFailed."""
    with in_words():
        return Upload(
            bucket, key, said(bucket.client().create_multipart_upload(**bucket.at(key)), "UploadId")
        )


def end_uploads_of(bucket: OwnBucket, key: str) -> None:
    """End what was begun of this object and never noted. Raises BucketFailed when one that is there won't end.

    To list uploads takes a right that a key need not have; what is left then has no parts, and weighs nothing.
    """
    try:
        with in_words():
            answer = bucket.client().list_multipart_uploads(**bucket.whole, Prefix=key)
    except BucketFailed as error:
        log.info("uploads_not_listed", key=key, reason=error.detail)
        return
    for each in answer.get("Uploads") or ():
        if each.get("Key") == key:
            Upload(bucket, key, said(each, "UploadId")).end()


def _part(each: Mapping[str, Any]) -> tuple[int, Arrived]:
    number, size = each.get("PartNumber"), each.get("Size")
    if not isinstance(number, int) or not isinstance(size, int) or not 0 < number <= MOST_PARTS:
        raise UploadLost("The bucket lists parts that can't be.")
    return number, Arrived(size, said(each, "ETag"))


def _lost(error: BucketFailed) -> BucketFailed:
    return UploadLost(error.detail, error.answered) if error.answered in LOST else error
