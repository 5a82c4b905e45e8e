"""After a restore: what opened a door for the moment opens nothing, and what was ended since the backup stays ended."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session as CatalogSession

from tenants.access.policy import resource_of
from tenants.foundation.clock import now
from tenants.identity.models import OneTimeToken, User
from tenants.identity.oauth.models import ConnectedApp, OAuthClient, OAuthToken
from tenants.identity.programs.models import ApiKey
from tenants.identity.shut_doors import id_of_secret
from tenants.identity.signing_in.models import Authenticator, Password, Session
from tenants.identity.single_sign_on.models import IdentityProvider
from tenants.isolation.door import db
from tenants.lifecycle.archives.models import ThawLink
from tenants.lifecycle.backups.endings import Ended
from tenants.support_access.deciding import revoke_all
from tenants.support_access.models import AccessGrant, AccessVisit
from tenants.support_access.receipts import sign_off
from tenants.support_access.staff.models import Staff, StaffCredential, VisitPointer
from tenants.webhooks.models import Webhook

WHY = "This workspace came back from a backup."
Keyed = Callable[[UUID], str]


def shut_doors(ended: Ended, keyed: Keyed) -> int:
    """Inside a tenant that comes back; how many credentials and people were ended again that the backup had as good."""
    return (
        sum(_end_credentials(ended, keyed))
        + _forget_passwords(ended.credentials[resource_of(Password)], keyed)
        + _shut_out(ended.shut_out, keyed)
        + _close_ways(ended.shut_out | ended.credentials[resource_of(Webhook)], keyed)
    )


def end_what_is_for_the_moment() -> None:
    """Inside a tenant that comes back: sessions, codes and links, tokens of apps, and the leave of our own people.

    Nobody knows which of them were ended since.
    """
    db().execute(update(Session).where(Session.ended_at.is_(None)).values(ended_at=now()))
    db().execute(delete(OneTimeToken))
    db().execute(
        update(OAuthToken).where(OAuthToken.revoked_at.is_(None)).values(revoked_at=now(), answer=None)
    )
    revoke_all(WHY)
    left = select(AccessVisit, AccessGrant).join(AccessGrant, AccessGrant.id == AccessVisit.grant_id)
    for visit, grant in db().execute(left.where(AccessVisit.ended_at.is_(None))).all():
        sign_off(visit, grant, "restored")


def shut_out_staff(session: CatalogSession, shut_out: set[str], keyed: Keyed) -> None:
    """In the catalog that comes back: our own people who were deactivated, with all that they came in with."""
    for staff in session.scalars(select(Staff)):
        if keyed(staff.id) in shut_out:
            staff.state = "inactive"
            mine = update(StaffCredential).where(StaffCredential.staff_id == staff.id)
            session.execute(mine.where(StaffCredential.ended_at.is_(None)).values(ended_at=now()))


def end_staffs_for_the_moment(session: CatalogSession) -> None:
    """In the catalog that comes back: sessions and keys of our own people, their visits, links that wake an archive."""
    theirs = update(StaffCredential).where(StaffCredential.kind.in_(("session", "api_key")))
    session.execute(theirs.where(StaffCredential.ended_at.is_(None)).values(ended_at=now()))
    session.execute(update(VisitPointer).where(VisitPointer.ended_at.is_(None)).values(ended_at=now()))
    session.execute(update(ThawLink).where(ThawLink.used_at.is_(None)).values(used_at=now(), mail=None))


def _end_credentials(ended: Ended, keyed: Keyed) -> Iterator[int]:
    yield from (_end(each, ended, keyed) for each in (ApiKey, ConnectedApp))
    clients, gone = ended.credentials[resource_of(OAuthClient)], 0
    for client in db().scalars(select(OAuthClient).where(OAuthClient.secret_hash.is_not(None))):
        if keyed(client.id) in clients or keyed(id_of_secret(client.secret_hash or b"")) in clients:
            client.secret_hash, gone = None, gone + 1
    yield gone
    factors = ended.credentials[resource_of(Authenticator)]
    found = [each for each in db().scalars(select(Authenticator.id)) if keyed(each) in factors]
    db().execute(delete(Authenticator).where(Authenticator.id.in_(found)))
    yield len(found)


def _end(model: type[Any], ended: Ended, keyed: Keyed) -> int:
    named, gone = ended.credentials[resource_of(model)], 0
    for each in db().scalars(select(model).where(model.revoked_at.is_(None))):
        if keyed(each.id) in named:
            each.revoked_at, gone = now(), gone + 1
    return gone


def _forget_passwords(named: set[str], keyed: Keyed) -> int:
    """Those that were replaced since: nobody knows the new one here, so that its person sets one by mail."""
    kept = db().execute(select(Password.user_id, Password.hash))
    found = [user_id for user_id, content in kept if keyed(id_of_secret(content)) in named]
    db().execute(delete(Password).where(Password.user_id.in_(found)))
    return len(found)


def _shut_out(named: set[str], keyed: Keyed) -> int:
    out = [
        each for each in db().scalars(select(User).where(User.state != "inactive")) if keyed(each.id) in named
    ]
    for user in out:
        user.state, user.deactivated_at = "inactive", now()
    db().flush()
    return len(out)


def _close_ways(named: set[str], keyed: Keyed) -> int:
    """Providers that sign people in and webhooks that were deactivated, and webhooks that were removed.

    Providers that were removed, with whom they knew, have gone with the records.
    """
    ways: tuple[Any, ...] = (IdentityProvider, Webhook)
    living = [each for way in ways for each in db().scalars(select(way).where(way.state != "inactive"))]
    over = [each for each in living if keyed(each.id) in named]
    for each in over:
        each.state = "inactive"
    db().flush()
    return len(over)
