"""Who types the address of an admin of an archived tenant gets a link by mail; it wakes the tenant, once."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from tenants.catalog.models import LookupHash, State, Tenant
from tenants.catalog.registry import Catalog
from tenants.catalog.states import Mover
from tenants.foundation.clock import now
from tenants.foundation.encryption import Context, Unreadable, key_version, seal, unseal
from tenants.foundation.errors import Conflict, Refusal, Unavailable
from tenants.foundation.identifiers import new_id, new_token, token_hash
from tenants.foundation.tables import Purpose
from tenants.identity.signing_in.places import hashed_address
from tenants.isolation.keys import KeyWrapper
from tenants.isolation.sealing import keys
from tenants.jobs.errands import Asked, errand
from tenants.jobs.platform import ask_for_round
from tenants.lifecycle.archives.keeping import thaw
from tenants.lifecycle.archives.models import Archive, ThawLink
from tenants.lifecycle.archives.steps import ADMINS
from tenants.lifecycle.changing import Decision
from tenants.mail.messages import one_line, usable_address
from tenants.mail.posting import hand_over, link

log = structlog.get_logger(__name__)
ROUND, LINKS = "archives.post_links", "thaw-links"
PREFIX = "fht"
LASTS = timedelta(hours=24)
MOST_TENANTS = 20
GONE = "This link has been used, or its time is over. Ask for a new one."
TO_ADMINS = """{name} is archived: everything in it is kept, whole and sealed, and nobody works in it.

As one of its admins you can wake it, within a day, with this link:

{link}

If it wasn't you who asked, do nothing: it stays as it is.
"""
TO_OTHERS = """{name} is archived: everything in it is kept, whole and sealed, and nobody works in it.

One of its admins can wake it: they type their address where you typed yours.
"""


@dataclass(frozen=True)
class Woken:
    """A tenant that comes back, and how far it is."""

    slug: str | None
    state: State
    phase: str | None
    done: int | None
    total: int | None
    error: str | None


def ask_for_links(catalog: Catalog, wrapper: KeyWrapper, email: str, slug: str | None = None) -> None:
    """Have a mail sent for each archived tenant that knows this address; nobody learns from here whether there is one.

    The slug chooses before they are counted: strangers can open tenants in anybody's name.
    """
    hashed = hashed_address(wrapper, email)
    query = (
        select(Tenant.id, Tenant.name, LookupHash.kind)
        .join(LookupHash, LookupHash.tenant_id == Tenant.id)
        .where(LookupHash.hash == hashed, Tenant.state == State.ARCHIVED)
        .where(LookupHash.kind.in_(("email", ADMINS)))
        .order_by(LookupHash.kind, Tenant.id)
        .limit(2 * MOST_TENANTS)
    )
    if slug is not None:
        query = query.where(Tenant.slug == slug)
    with catalog.transaction() as session:
        found: dict[UUID, tuple[str, bool]] = {}
        for tenant_id, name, kind in session.execute(query):
            known = found.get(tenant_id, ("", False))[1]
            found[tenant_id] = (name or "", known or kind == ADMINS)
        for tenant_id, (name, admin) in found.items():
            session.add(_link(tenant_id, one_line(name, 80), usable_address(email), admin=admin))
        ask_for_round(session, ROUND)


@errand(LINKS, purpose=Purpose.ACCOUNT)
def _find_links(asked: Asked) -> None:
    ask_for_links(asked.catalog, asked.wrapper, asked.said["email"], asked.said["slug"])


def wake(catalog: Catalog, token: str) -> Woken:
    """Wake the tenant of a link, once; shown again while the link lasts, it tells how far that is. Raises Conflict."""
    hashed = token_hash(token)
    with catalog.transaction() as session:
        mine = select(ThawLink).where(ThawLink.hash == hashed, ThawLink.expires_at > now())
        found = session.scalars(mine.with_for_update()).one_or_none()
        if found is None:
            raise Conflict(GONE, code="gone")
        tenant_id = found.tenant_id
        if found.used_at is None:
            _must_be_of_this_time(session, found)
            # One transaction: a link is used when it has woken somebody, and not before.
            found.used_at = now()
            if session.get_one(Tenant, tenant_id).state == State.ARCHIVED:
                thaw(session, tenant_id, Decision(Mover.ADMIN, "An admin followed the link in a mail."))
    return progress_of(catalog, tenant_id)


def _must_be_of_this_time(session: Session, found: ThawLink) -> None:
    """Who was an admin when the tenant was away before may be none since. Raises Conflict."""
    kept_since = select(func.max(Archive.kept_at)).where(Archive.tenant_id == found.tenant_id)
    since = session.scalar(kept_since)
    if since is None or found.created_at < since:
        raise Conflict(GONE, code="gone")


def progress_of(catalog: Catalog, tenant_id: UUID) -> Woken:
    """How far the latest archive of a tenant is."""
    latest = select(Archive).where(Archive.tenant_id == tenant_id).order_by(Archive.id.desc()).limit(1)
    with catalog.transaction() as session:
        tenant, archive = session.get_one(Tenant, tenant_id), session.scalars(latest).one()
        return Woken(
            tenant.slug, State(tenant.state), archive.phase, archive.done, archive.rows, archive.error
        )


def post_links(catalog: Catalog) -> int:
    """Send the mails that wait; one that can't be opened or sent now is tried again until its link is over."""
    with catalog.transaction() as session:
        session.execute(delete(ThawLink).where(ThawLink.expires_at < now()))
        waiting = list(session.scalars(select(ThawLink.id).where(ThawLink.mail.is_not(None))))
    return sum(_post(catalog, each) for each in waiting)


def _post(catalog: Catalog, link_id: UUID) -> bool:
    with catalog.transaction() as session:
        found = session.get(ThawLink, link_id)
        if found is None or found.mail is None:
            return False
        tenant_id, sealed = found.tenant_id, found.mail
    try:
        said = _opened(tenant_id, link_id, sealed)
    except (Refusal, Unreadable) as withheld:  # its key is destroyed or withheld; the others have theirs
        log.warning("thaw_link_waits", reason=str(withheld))
        return False
    try:
        hand_over(link_id, **said)
    except Unavailable as refusal:
        log.warning("thaw_link_waits", reason=refusal.detail)
        return False
    except Refusal as refusal:
        log.warning("thaw_link_refused", reason=refusal.detail)
    with catalog.transaction() as session:
        sent = session.get_one(ThawLink, link_id)
        sent.mail, sent.sent_at = None, now()
    return True


def _link(tenant_id: UUID, name: str, email: str, *, admin: bool) -> ThawLink:
    link_id, token = new_id(), new_token(PREFIX, tenant_id)
    letter = TO_ADMINS if admin else TO_OTHERS
    text = letter.replace("{name}", name).replace("{link}", link("thaw", token))
    mail = json.dumps({"to": email, "subject": f"{name} is archived", "text": text}).encode()
    sealed = seal(keys().current(tenant_id), mail, _place(tenant_id, link_id))
    # Without the right to wake it, the mail leads nowhere, and its hash is of nothing that was sent.
    return ThawLink(
        id=link_id, tenant_id=tenant_id, hash=token_hash(token), mail=sealed, expires_at=now() + LASTS
    )


def _opened(tenant_id: UUID, link_id: UUID, sealed: bytes) -> dict[str, Any]:
    key = keys().version(tenant_id, key_version(sealed))
    return dict(json.loads(unseal(key, sealed, _place(tenant_id, link_id))))


def _place(tenant_id: UUID, link_id: UUID) -> Context:
    return Context(tenant_id, "thaw_links", "mail", link_id)
