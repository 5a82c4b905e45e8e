"""Checks a tenant's audit log against its seals, and the seals against their copies in the catalog."""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, cast, func, select
from sqlalchemy.types import Text

from tenants.audit.models import AuditEvent, AuditSeal, AuditSealMember, AuditSigningKey, AuditValues
from tenants.audit.seals import canonical
from tenants.audit.signing import NO_HEAD, SealHead, verify
from tenants.audit.trees import root
from tenants.catalog.models import AuditHead
from tenants.catalog.registry import Catalog, Home
from tenants.isolation.door import db, inside

PATIENCE_SECONDS = 600
BATCH = 5000


@dataclass
class Report:
    """What was looked at, and what is wrong with it: a sentence each. An empty `wrong` means the log holds.

    `brought` are the seals that came in a bundle, with the keys that they are checked by: they show that it fits
    together, and not who wrote it.
    """

    events: int = 0
    seals: int = 0
    brought: int = 0
    unsealed: int = 0
    erased: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.wrong


def verify_log(catalog: Catalog, home: Home) -> Report:
    """Work every seal out again from the events, follow the chain, and compare with the catalog's copies."""
    with catalog.transaction() as session:
        copies = {
            row.sequence: row
            for row in session.scalars(select(AuditHead).where(AuditHead.tenant_id == home.id))
        }
    report = Report()
    with inside(
        home, patience_seconds=PATIENCE_SECONDS, isolation="isolation level repeatable read read only"
    ):
        report.events = db().scalar(select(func.count()).select_from(AuditEvent)) or 0
        report.wrong += _wrong_values(report)
        sealed, previous = 0, NO_HEAD
        for seal, public_key in db().execute(_seals()).all():
            report.seals += 1
            report.brought += seal.tenant_id != home.id
            report.wrong += _wrong_seal(seal, public_key, previous, report.seals)
            report.wrong += _wrong_copy(seal, copies.pop(seal.sequence, None), home)
            sealed, previous = sealed + seal.count, seal.head
        report.wrong += [
            f"Seal {sequence} is in the catalog and no longer in the log." for sequence in sorted(copies)
        ]
        report.unsealed = report.events - sealed
    return report


def _seals() -> Select[AuditSeal, bytes]:
    return select(AuditSeal, AuditSigningKey.public_key).join(AuditSigningKey).order_by(AuditSeal.sequence)


def _wrong_seal(seal: AuditSeal, public_key: bytes, previous: bytes, number: int) -> Iterator[str]:
    query = (
        select(canonical()).select_from(AuditEvent).join(AuditSealMember, AuditSealMember.event_id == AuditEvent.id)
        .where(AuditSealMember.seal_id == seal.id).order_by(AuditSealMember.leaf)
    )  # fmt: skip
    leaves = [text.encode() for text in db().scalars(query)]
    if seal.sequence != number:
        yield f"Seal {number} is missing: the next one there is {seal.sequence}."
    if seal.previous != previous:
        yield f"Seal {seal.sequence} does not follow the seal before it."
    if len(leaves) != seal.count:
        yield f"Seal {seal.sequence} was over {seal.count} events, and {len(leaves)} are there."
    elif root(leaves) != seal.root:
        yield f"An event under seal {seal.sequence} was changed."
    head = SealHead(seal.tenant_id, seal.sequence, seal.previous, seal.root, seal.count, seal.sealed_at)
    if head.digest() != seal.head or not verify(public_key, head, seal.signature):
        yield f"The signature of seal {seal.sequence} does not fit it."


def _wrong_copy(seal: AuditSeal, copy: AuditHead | None, home: Home) -> Iterator[str]:
    """A seal of another tenant came with an import; its copies are with that tenant."""
    if (
        copy is not None
        and seal.tenant_id == home.id
        and (copy.head, copy.signature) != (seal.head, seal.signature)
    ):
        yield f"Seal {seal.sequence} is not the one that the catalog has a copy of."


def _wrong_values(report: Report) -> Iterator[str]:
    """Personal values have to fit the digest of their event; that some are gone is erasure, and no fault."""
    query = (
        select(AuditEvent.id, AuditEvent.digest, AuditValues.salt, cast(AuditValues.values, Text))
        .outerjoin(AuditValues, AuditValues.event_id == AuditEvent.id)
        .where(AuditEvent.digest.is_not(None)).execution_options(yield_per=BATCH)
    )  # fmt: skip
    for row in db().execute(query):
        event_id, digest, salt, values = tuple[Any, ...](row)
        if salt is None:
            report.erased += 1
        elif not hmac.compare_digest(hashlib.sha256(salt + values.encode()).digest(), digest):
            yield f"The personal values of event {event_id} are not the ones that were recorded."
