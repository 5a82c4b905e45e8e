"""Secrets that work once: given out in a mail or an answer, and taken by exactly one of however many who show them."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, update

from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict
from tenants.foundation.identifiers import new_token, token_hash
from tenants.identity.models import OneTimeToken
from tenants.isolation.door import db, here
from tenants.isolation.sealing import opened

PREFIX = "fho"
MOST_TRIES = 5
GONE = "This link or code has been used, or its time is over. Ask for a new one."


@dataclass(frozen=True)
class Taken:
    """What a secret stood for: the user it was given to, if there was one, and what was noted with it."""

    id: UUID
    user_id: UUID | None
    details: dict[str, Any]


def give(kind: str, *, lasts: timedelta, user_id: UUID | None = None, **details: Any) -> str:
    """A new secret of this kind, to be taken once before its time is over; only its hash is kept. Inside its tenant.

    `details` are kept sealed, as JSON.
    """
    token = new_token(PREFIX, here().home.id)
    kept = OneTimeToken(kind=kind, hash=token_hash(token), user_id=user_id, expires_at=now() + lasts)
    kept.details = json.dumps(details)
    db().add(kept)
    db().flush()
    return token


def take(kind: str, token: str) -> Taken:
    """Use up a secret: of any number who show it at once, one gets it (the row's lock decides).

    Raises Conflict, always in the same words, for one that was used, is too old, or never was.
    """
    return _marked(kind, token, used_at=now())


def try_with(kind: str, token: str) -> Taken:
    """Count one try with a secret that something else has to be shown with; after MOST_TRIES it is gone.

    Whoever tries at the same moment waits for this transaction to end. Raises as `take` does.
    """
    return _marked(kind, token, OneTimeToken.tries < MOST_TRIES, tries=OneTimeToken.tries + 1)


def _marked(kind: str, token: str, *also: ColumnElement[bool], **values: Any) -> Taken:
    usable = (
        OneTimeToken.hash == token_hash(token),
        OneTimeToken.kind == kind,
        OneTimeToken.used_at.is_(None),
        OneTimeToken.expires_at > now(),
        *also,
    )
    marked = db().scalars(
        update(OneTimeToken).where(*usable).values(values).returning(OneTimeToken)
    ).one_or_none()  # fmt: skip
    if marked is None:
        raise Conflict(GONE, code="gone")
    return Taken(marked.id, marked.user_id, json.loads(opened(marked, "details") or "{}"))


def withdraw(kind: str, user_id: UUID) -> None:
    """Forget every unused secret of this kind that was given to a user."""
    db().execute(
        delete(OneTimeToken).where(
            OneTimeToken.kind == kind, OneTimeToken.user_id == user_id, OneTimeToken.used_at.is_(None)
        )
    )
