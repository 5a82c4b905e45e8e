"""The receipt of a visit: what the tenant's log says of it, under the tenant's own audit key, to be checked anywhere."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import select

from tenants.audit.seals import signing_key
from tenants.audit.trees import root
from tenants.foundation import clock
from tenants.isolation.door import db, here
from tenants.isolation.sealing import opened
from tenants.support_access.models import AccessEntry, AccessGrant, AccessVisit
from tenants.support_access.schemas import ACCESS_LOG

HEADING = b"freehold visit receipt 1\n"


def sign_off(visit: AccessVisit, grant: AccessGrant, reason: str) -> None:
    """End a visit and leave its receipt. Its requests hold the visit's row, so none of them can add to the log later."""
    locked = select(AccessVisit).where(AccessVisit.id == visit.id).with_for_update()
    visit = db().scalars(locked.execution_options(populate_existing=True)).one()
    if visit.ended_at is not None:
        return
    visit.ended_at = min(clock.now(), visit.expires_at)
    visit.end_reason = reason
    query = select(AccessEntry).where(AccessEntry.visit_id == visit.id)
    entries = [shown(each) for each in db().scalars(query.order_by(AccessEntry.at, AccessEntry.id))]
    visit.receipt = _signed(_statement(visit, grant, entries))
    db().flush()


def shown(entry: AccessEntry) -> dict[str, Any]:
    """An entry of the log as `GET /api/v1/access-log` shows it."""
    dumped: dict[str, Any] = ACCESS_LOG.schema.dump(entry)
    return dumped


def verify_receipt(receipt: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is wrong with a receipt and the log's entries of its visit, oldest first; nothing when they hold."""
    statement, wrong = receipt["statement"], []
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(receipt["public_key"])).verify(
            base64.b64decode(receipt["signature"]), HEADING + _canonical(statement)
        )
    except (InvalidSignature, ValueError):
        wrong.append("The signature is not of this statement and this key.")
    if len(entries) != statement["entries"]:
        wrong.append(f"The receipt is of {statement['entries']} entries, here are {len(entries)}.")
    if _root(entries) != statement["root"]:
        wrong.append("The entries are not those that were signed.")
    if stray := [each for each in entries if each["visit_id"] != statement["visit_id"]]:
        wrong.append(f"{len(stray)} entries are of another visit.")
    return wrong


def _statement(
    visit: AccessVisit, grant: AccessGrant, entries: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    records = {record for each in entries for record in each["record_ids"]}
    return {
        "tenant_id": str(here().home.id),
        "visit_id": str(visit.id),
        "grant_id": str(grant.id),
        "staff_id": str(visit.staff_id),
        "staff_name": visit.staff_name,
        "reason": grant.reason,
        "ticket": grant.ticket,
        "access": visit.access,
        "opened_at": visit.created_at.isoformat(),
        "ended_at": visit.ended_at.isoformat() if visit.ended_at else None,
        "end_reason": visit.end_reason,
        "entries": len(entries),
        "records": len(records),
        "root": _root(entries),
    }


def _root(entries: Sequence[Mapping[str, Any]]) -> str:
    return root([_canonical(each) for each in entries]).hex()


def _canonical(said: Mapping[str, Any]) -> bytes:
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)


def _signed(statement: dict[str, Any]) -> dict[str, Any]:
    key = signing_key()
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(opened(key, "private_key") or ""))
    return {
        "statement": statement,
        "signature": base64.b64encode(private.sign(HEADING + _canonical(statement))).decode(),
        "public_key": base64.b64encode(key.public_key).decode(),
    }
