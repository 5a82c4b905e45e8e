"""Seals what happened: a signed hash tree over the events that no earlier seal holds, chained to the one before.

A seal takes whatever committed events are in no seal yet and records that membership, so that an event whose
transaction commits late goes into the next one.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, Select, cast, exists, func, insert, literal_column, select
from sqlalchemy.types import Text

from tenants.access.caller import SYSTEM, act_as
from tenants.audit.models import AuditEvent, AuditSeal, AuditSealMember, AuditSigningKey
from tenants.audit.signing import NO_HEAD, SealHead, new_signing_key, sign
from tenants.audit.trees import root
from tenants.catalog.models import AuditHead
from tenants.catalog.registry import WORKING, Catalog, Home
from tenants.foundation.clock import now
from tenants.foundation.identifiers import new_id
from tenants.isolation.door import db, here, inside
from tenants.isolation.keys import KeyDestroyed, KeyWithheld
from tenants.isolation.sealing import opened
from tenants.isolation.walking import walk

log = structlog.get_logger(__name__)
MOST_EVENTS = 50_000
PATIENCE_SECONDS = 300
#: No transaction of ours lives longer, so no event of an older moment can still come to light.
LONGEST_TRANSACTION = timedelta(days=1)
BUSY = """
select 1 where exists (select from audit_events where at > coalesce(
  (select max(sealed_at) from audit_seals) - interval '10 minutes', '-infinity'))
"""
"""Cheap for a tenant where nothing happened: two looks into indexes. Late commits show for ten minutes more."""

ONE_SEALER: ColumnElement[int] = literal_column("hashtextextended('audit seal', 0)")


def canonical() -> ColumnElement[str]:
    """An event as the text its leaf is made of: PostgreSQL's jsonb has one order of keys and one spacing."""
    return cast(func.to_jsonb(literal_column(AuditEvent.__tablename__)), Text)


def unsealed(since: datetime | None) -> Select[UUID, str]:
    """The events from this moment on that no seal holds, oldest first."""
    held = exists().where(AuditSealMember.event_id == AuditEvent.id)
    query = select(AuditEvent.id, canonical()).where(~held).order_by(AuditEvent.at, AuditEvent.id)
    return (query if since is None else query.where(AuditEvent.at >= since)).limit(MOST_EVENTS)


def seal_events() -> int:
    """Seal what the tenant at hand has unsealed; how many events that was. One sealer at a time per tenant."""
    if not db().scalar(select(func.pg_try_advisory_xact_lock(ONE_SEALER))):
        return 0
    here().send_pending()
    last = db().scalars(select(AuditSeal).order_by(AuditSeal.sequence.desc()).limit(1)).one_or_none()
    since = last.sealed_at - LONGEST_TRANSACTION if last else None
    events = db().execute(unsealed(since)).all()
    if not events:
        return 0
    seal = _signed(last, [event[1].encode() for event in events])
    db().add(seal)
    db().flush()
    members = [{"event_id": event[0], "seal_id": seal.id, "leaf": leaf} for leaf, event in enumerate(events)]
    db().execute(insert(AuditSealMember), members)
    return len(events)


def seal_everywhere(catalog: Catalog) -> int:
    """Seal in every tenant where something happened, and copy the heads; in how many that was."""
    sealed = 0
    for home in [home for home, rows in walk(catalog.homes(*WORKING), BUSY, {}) if rows]:
        try:
            with inside(home, patience_seconds=PATIENCE_SECONDS):
                act_as(SYSTEM, request_id="seal")
                seal_events()
        except (KeyWithheld, KeyDestroyed) as refused:
            # Its events wait until the key that signs is there again; the other tenants' don't.
            log.warning("not_sealed", tenant=str(home.id), reason=refused.stable_code)
            continue
        copy_heads(catalog, home)
        sealed += 1
    return sealed


def copy_heads(catalog: Catalog, home: Home) -> None:
    """Copy heads that the catalog has not got yet; they outlive the tenant's own rows."""
    with catalog.transaction() as session:
        copied = (
            session.scalar(select(func.max(AuditHead.sequence)).where(AuditHead.tenant_id == home.id)) or 0
        )
    with inside(home):
        query = (
            select(AuditSeal, AuditSigningKey.public_key).join(AuditSigningKey).order_by(AuditSeal.sequence)
        )
        new = db().execute(query.where(AuditSeal.sequence > copied, AuditSeal.tenant_id == home.id)).all()
    with catalog.transaction() as session:
        for seal, public_key in new:
            session.merge(
                AuditHead(
                    tenant_id=home.id, sequence=seal.sequence, head=seal.head, signature=seal.signature,
                    public_key=public_key, sealed_at=seal.sealed_at,
                )
            )  # fmt: skip


def _signed(last: AuditSeal | None, leaves: Sequence[bytes]) -> AuditSeal:
    key = signing_key()
    head = SealHead(
        tenant_id=here().home.id,
        sequence=last.sequence + 1 if last else 1,
        previous=last.head if last else NO_HEAD,
        root=root(leaves),
        count=len(leaves),
        sealed_at=now(),
    )
    private = bytes.fromhex(opened(key, "private_key") or "")
    return AuditSeal(
        id=new_id(), tenant_id=head.tenant_id, signing_key_id=key.id, sequence=head.sequence, sealed_at=head.sealed_at,
        count=head.count, root=head.root, previous=head.previous, head=head.digest(), signature=sign(private, head),
    )  # fmt: skip


def signing_key() -> AuditSigningKey:
    """The tenant's own key; made with the first seal, and again in a tenant that was imported without it."""
    usable = (
        select(AuditSigningKey)
        .where(AuditSigningKey.private_key.is_not(None))
        .order_by(AuditSigningKey.created_at.desc())
    )
    found = db().scalars(usable.limit(1)).one_or_none()
    if found is None:
        private, public = new_signing_key()
        found = AuditSigningKey(public_key=public, private_key=private.hex())
        db().add(found)
        db().flush()
    return found
