"""The same POST twice is one POST: `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-06).

The record and the effect are one transaction. Refusals roll back with it and are not replayed.
"""

import json
from collections.abc import Callable
from hashlib import sha256

from flask import Response, g, request
from sqlalchemy import func, select

from tenants.access.caller import acting
from tenants.foundation.errors import Conflict, Invalid
from tenants.http.bodies import FORM
from tenants.http.models import IdempotencyKey
from tenants.isolation.door import db
from tenants.isolation.sealing import opened

LONGEST = 255
CHUNK = 1024 * 1024
REPLAYED_HEADERS = ("Content-Type", "Location", "ETag")


def once(answer: Callable[[], Response]) -> Response:
    """The answer of the route, or the one it gave when this key was used before.

    Raises Conflict while the first request with the key is under way, Invalid for a key that is not usable or was
    used with another body. Answers that carry a secret (`g.holds_secret`) are not kept.
    """
    key = request.headers.get("Idempotency-Key")
    if request.method != "POST" or key is None:
        return answer()
    if not 1 <= len(key) <= LONGEST or not key.isascii() or not key.isprintable():
        raise Invalid(errors={"Idempotency-Key": [f"1 to {LONGEST} printable ASCII characters."]})
    place = _place(key)
    if not db().scalar(select(func.pg_try_advisory_xact_lock(int.from_bytes(place[:8], signed=True)))):
        raise Conflict("The first request with this Idempotency-Key is still under way.", code="in_progress")
    fingerprint = _fingerprint()
    kept = db().scalars(select(IdempotencyKey).where(IdempotencyKey.place == place)).one_or_none()
    if kept is not None:
        return _replayed(kept, fingerprint)
    given = answer()
    if not g.get("holds_secret"):
        _keep(place, fingerprint, given)
    return given


def _fingerprint() -> bytes:
    """What was sent. Of a form its fields and files, never held in memory: the marks between them differ each time."""
    if request.mimetype != FORM:
        return sha256(request.get_data(cache=True)).digest()
    # A part may come without a name.
    fields = sorted((name or "", value) for name, value in request.form.items(multi=True))
    made = sha256(json.dumps(fields).encode())
    for name, file in sorted(request.files.items(multi=True), key=lambda pair: pair[0] or ""):
        made.update(json.dumps([name, file.filename]).encode())
        while chunk := file.stream.read(CHUNK):
            made.update(chunk)
        file.stream.seek(0)
    return made.digest()


def _place(key: str) -> bytes:
    caller = acting().caller
    parts = (
        str(caller.tenant_id),
        str(caller.user_id),
        str(caller.credential_id),
        request.method,
        request.path,
        key,
    )
    return sha256("\0".join(parts).encode()).digest()


def _replayed(kept: IdempotencyKey, fingerprint: bytes) -> Response:
    if kept.fingerprint != fingerprint:
        raise Invalid("This Idempotency-Key was used with another body.", code="key_reused")
    stored = json.loads(opened(kept, "answer") or "{}")
    if stored.get("closed") != _closed():
        raise Conflict(
            "It was done, and your rights have changed since: read what came of it.", code="rights_changed"
        )
    again = Response(stored["body"], kept.status, stored["headers"])
    again.headers["Idempotency-Replayed"] = "true"
    return again


def _keep(place: bytes, fingerprint: bytes, given: Response) -> None:
    headers = {name: given.headers[name] for name in REPLAYED_HEADERS if name in given.headers}
    record = IdempotencyKey(
        place=place, fingerprint=fingerprint, status=given.status_code, user_id=acting().caller.user_id
    )
    record.answer = json.dumps(
        {"body": given.get_data(as_text=True), "headers": headers, "closed": _closed()}
    )  # type: ignore[assignment]
    db().add(record)
    db().flush()


def _closed() -> list[str]:
    """The fields that the caller can't see: an answer that was given before they were closed is not given again."""
    caller = acting().caller
    return sorted(
        f"{resource}.{name}"
        for rules in (caller.hidden, caller.masked)
        for resource, names in rules.items()
        for name in names
    )
