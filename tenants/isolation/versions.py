"""All versions of an object in a bucket, and the locks on them (S3 Object Lock)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from tenants.isolation.storage import Lock

CHECKSUM = {"ChecksumAlgorithm": "CRC32"}
#: What servers answer that speak S3 and know no versions.
NO_VERSIONS = frozenset({"NotImplemented", "MethodNotAllowed"})
NO_LOCKS = NO_VERSIONS | {"ObjectLockConfigurationNotFoundError"}


def versions_of(client: Any, at: dict[str, str]) -> list[dict[str, str]]:
    """What names each version of an object, and each mark of a deletion, in a request: the oldest first.

    A deletion that breaks off then leaves the newest, and never brings an older one to light again.
    """
    try:
        return list(_versions(client, at))[::-1]
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in NO_VERSIONS:
            return [{}]
        raise


def _versions(client: Any, at: dict[str, str]) -> Iterator[dict[str, str]]:
    pages = client.get_paginator("list_object_versions").paginate(Bucket=at["Bucket"], Prefix=at["Key"])
    for page in pages:
        found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        same = [each for each in found if each["Key"] == at["Key"]]
        for each in sorted(same, key=lambda one: (one["IsLatest"], one["LastModified"]), reverse=True):
            yield {"VersionId": each["VersionId"]}
        if len(same) < len(found):
            return  # keys come in their order, and longer ones after this one


def lock_asked_for(lock: Lock | None) -> dict[str, Any]:
    """What a request that writes an object says of its lock."""
    if lock is None:
        return {}
    return {"ObjectLockMode": lock.mode.value, "ObjectLockRetainUntilDate": lock.until}


def keeps_locks(client: Any, bucket: str) -> bool:
    """Whether objects in a bucket can be locked. Raises ClientError, also when we may not ask."""
    try:
        said = client.get_object_lock_configuration(Bucket=bucket)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in NO_LOCKS:
            return False
        raise
    return bool(said["ObjectLockConfiguration"].get("ObjectLockEnabled") == "Enabled")


def make_sure_of(lock: Lock, client: Any, at: dict[str, str]) -> None:
    """See that an object that was just written is locked, and lock it now if it is not. Raises ClientError."""
    found = client.head_object(**at)
    if found.get("ObjectLockMode") != lock.mode.value:
        retention = {"Mode": lock.mode.value, "RetainUntilDate": lock.until}
        client.put_object_retention(**at, Retention=retention, **CHECKSUM)


def locked_until(client: Any, version: dict[str, str]) -> datetime | None:
    """Until when a version can't be removed; None when no lock is known."""
    try:
        until: datetime | None = client.head_object(**version).get("ObjectLockRetainUntilDate")
    except ClientError:
        return None
    return until
