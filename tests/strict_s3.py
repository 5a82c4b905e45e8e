"""What S3 refuses and the server of the tests doesn't.

Locks without a checksum, keys of KMS that are no good, and buckets of another account than was expected.
"""

from datetime import UTC, datetime
from urllib.parse import unquote

from moto.core import DEFAULT_ACCOUNT_ID
from moto.kms.models import kms_backends
from moto.s3.models import s3_backends

REGION = "eu-central-1"
CHECKSUMS = ("CONTENT_MD5", "HTTP_CONTENT_MD5", "HTTP_X_AMZ_SDK_CHECKSUM_ALGORITHM", "HTTP_X_AMZ_TRAILER")
#: Buckets that belong to somebody else than all the others.
TAKEN_OVER: dict[str, str] = {}
Refused = tuple[str, str]


def refusal(environ: dict[str, str]) -> Refused | None:
    """Status and code with which S3 would refuse this request; None when it would not."""
    bucket = environ["PATH_INFO"].split("/")[1]
    owner = environ.get("HTTP_X_AMZ_EXPECTED_BUCKET_OWNER")
    if owner not in (None, TAKEN_OVER.get(bucket, DEFAULT_ACCOUNT_ID)):
        return "403 Forbidden", "AccessDenied"
    if environ["REQUEST_METHOD"] in ("PUT", "POST"):
        return _of_a_lock(environ) or _of_a_key(
            environ.get("HTTP_X_AMZ_SERVER_SIDE_ENCRYPTION_AWS_KMS_KEY_ID")
        )
    if environ["REQUEST_METHOD"] == "GET" and not environ.get("QUERY_STRING"):
        return _of_a_key(_key_of(unquote(environ["PATH_INFO"])))
    return None


def _of_a_lock(environ: dict[str, str]) -> Refused | None:
    """Amazon S3 API: PutObject wants a checksum with a lock, and a day to come."""
    if (until := environ.get("HTTP_X_AMZ_OBJECT_LOCK_RETAIN_UNTIL_DATE")) is None:
        return None
    multipart = environ.get("QUERY_STRING", "").startswith("uploads")
    given = any(environ.get(name) for name in CHECKSUMS)
    if not multipart and not given and not any(name.startswith("HTTP_X_AMZ_CHECKSUM") for name in environ):
        return "400 Bad Request", "InvalidRequest"
    moment = datetime.fromisoformat(until)
    if (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) <= datetime.now(UTC):
        return "400 Bad Request", "InvalidArgument"
    return None


def _of_a_key(name: str | None) -> Refused | None:
    if name is None:
        return None
    key = kms_backends[DEFAULT_ACCOUNT_ID][REGION].keys.get(name.rpartition("/")[2])
    if key is None:
        return "400 Bad Request", "KMS.NotFoundException"
    return None if key.key_state == "Enabled" else ("400 Bad Request", "KMS.DisabledException")


def _key_of(path: str) -> str | None:
    """The key that an object was encrypted with."""
    bucket, _, name = path.lstrip("/").partition("/")
    buckets = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets
    found = buckets[bucket].keys.get(name) if bucket in buckets and name else None
    return getattr(found, "kms_key_id", None)
