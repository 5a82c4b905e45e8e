"""A large object of a bucket, written part by part: S3 shows it after the last one, or not at all."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tenants.isolation.versions import CHECKSUM

#: At most 10,000 parts make an object, so a file may have 78 GiB.
PART_BYTES = 8 * 1024 * 1024


class Parts:
    """One object on its way. Each method raises what boto3 raises; `abort` adds to the cause what it could not do."""

    def __init__(self, client: Any, at: dict[str, str], made: dict[str, Any]) -> None:
        self._client, self._at, self._made = client, at, made
        self._id: str | None = None
        self._sent: list[dict[str, Any]] = []

    @property
    def begun(self) -> bool:
        """Whether there is anything to complete or to abort."""
        return self._id is not None

    def add(self, piece: bytes) -> None:
        if self._id is None:
            self._id = self._client.create_multipart_upload(**self._at, **self._made)["UploadId"]
        number = len(self._sent) + 1
        answer = self._client.upload_part(
            **self._at, UploadId=self._id, PartNumber=number, Body=piece, **CHECKSUM
        )
        known = {name: answer[name] for name in ("ETag", "ChecksumCRC32") if name in answer}
        self._sent.append({"PartNumber": number, **known})

    def complete(self, conditions: Mapping[str, str]) -> None:
        self._client.complete_multipart_upload(
            **self._at, UploadId=self._id, MultipartUpload={"Parts": self._sent}, **conditions
        )

    def abort(self, cause: BaseException) -> None:
        if self._id is None:
            return
        try:
            self._client.abort_multipart_upload(**self._at, UploadId=self._id)
        except (BotoCoreError, ClientError) as error:
            cause.add_note(f"The unfinished upload stays until the next sweep: {error}")
