"""What opens nothing any more, and who may not come in any more, is noted in the ledger: no backup lets them in again.

So are identity providers that sign people in, and webhooks that are told, once they are inactive or gone.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import event, inspect, select
from sqlalchemy.orm import Session

from tenants.access.caller import SYSTEM
from tenants.access.policy import resource_of
from tenants.audit.ledger import Ending, ledger
from tenants.audit.noting import ATTEMPTS, REPLAYED, note_later
from tenants.foundation.tables import Purpose
from tenants.identity.models import User
from tenants.identity.oauth.models import ConnectedApp, OAuthClient
from tenants.identity.programs.models import ApiKey
from tenants.identity.signing_in.models import Authenticator, Password
from tenants.identity.single_sign_on.models import IdentityProvider
from tenants.isolation.door import TenantSession, db, here
from tenants.isolation.turns import one_at_a_time
from tenants.jobs.accepting import Order, accept
from tenants.jobs.registry import job
from tenants.webhooks.models import Webhook

KIND = "ledger.note_standing"
#: Each ends when it is deleted, and the first two when they are revoked.
REVOCABLE: tuple[type[Any], ...] = (ApiKey, ConnectedApp)
CREDENTIALS: tuple[type[Any], ...] = (*REVOCABLE, OAuthClient, Authenticator, Webhook)
#: Who may come in, lets others in or is told, while they are not `inactive`.
STANDING: tuple[type[Any], ...] = (User, IdentityProvider, Webhook)


def id_of_secret(kept: bytes | str) -> UUID:
    """Names what is kept of a secret that has no id of its own: a password's hash, an app's."""
    content = kept.encode() if isinstance(kept, str) else kept
    return UUID(bytes=sha256(content).digest()[:16])


def watch_doors() -> None:
    """Say once, at start-up, that what is revoked, deleted or replaced is noted, and who is deactivated."""
    if not event.contains(TenantSession, "before_flush", _note_doors):
        event.listen(TenantSession, "before_flush", _note_doors)


def note_authenticators(ids: Sequence[UUID]) -> None:
    """For whoever deletes them in bulk: these factors, passkeys or codes are good for nothing any more."""
    note_later(Ending.CREDENTIALS, resource_of(Authenticator), ids)


def note_password(kept: Password | None) -> None:
    """This password is about to be replaced by another one."""
    if kept is not None:
        note_later(Ending.CREDENTIALS, resource_of(Password), [id_of_secret(kept.hash)])


@job(KIND, purpose=Purpose.SECURITY, attempts=ATTEMPTS, always=True)
def note_standing(ids: list[UUID]) -> None:
    """People, providers and webhooks as they are now: of several notes about one, whichever is written last is right."""
    one_at_a_time(KIND)
    for model in STANDING:
        found = db().execute(select(model.id, model.state).where(model.id.in_(ids))).all()
        out = [each.id for each in found if each.state == "inactive"]
        back = [each.id for each in found if each.state != "inactive"]
        for ending, some in ((Ending.SHUT_OUT, out), (Ending.LET_IN, back)):
            if some:
                ledger().note(ending, here().home.id, resource_of(model), some)


def _note_doors(session: Session, _context: object, _instances: object) -> None:
    ended: dict[str, list[UUID]] = {}
    for record in _ended(session):
        ended.setdefault(resource_of(type(record)), []).append(record.id)
    for client in session.dirty:
        if isinstance(client, OAuthClient) and (former := _former(client, "secret_hash")):
            ended.setdefault(resource_of(OAuthClient), []).append(id_of_secret(former))
    for resource, ids in ended.items():
        note_later(Ending.CREDENTIALS, resource, ids)
    standing = (each for each in session.dirty if isinstance(each, STANDING))
    if crossed := [each.id for each in standing if _crossed_the_door(each)]:
        _note_standing_later(crossed)


def _ended(session: Session) -> Iterable[Any]:
    yield from (each for each in session.deleted if isinstance(each, CREDENTIALS))
    for each in session.dirty:
        if isinstance(each, REVOCABLE):
            revoked = inspect(each).attrs["revoked_at"].history
            if revoked.has_changes() and each.revoked_at is not None:
                yield each


def _former(record: Any, name: str) -> Any:
    """The value that is about to be replaced, if there was one."""
    history = inspect(record).attrs[name].history
    return history.deleted[0] if history.has_changes() and history.deleted else None


def _crossed_the_door(record: Any) -> bool:
    former = _former(record, "state")
    return former is not None and "inactive" in (former, record.state)


def _note_standing_later(ids: list[UUID]) -> None:
    if REPLAYED not in here().notes:
        arguments = {"ids": [str(each) for each in ids]}
        accept(Order(KIND, arguments, heavy=False, max_attempts=ATTEMPTS, actor_kind=SYSTEM.kind))
