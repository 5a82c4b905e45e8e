"""Ten codes on paper, for the day when the telephone is gone: each opens once."""

import base64
import secrets
from hashlib import sha256
from uuid import UUID

from sqlalchemy import delete, func, select

from tenants.foundation.clock import now
from tenants.identity.shut_doors import note_authenticators
from tenants.identity.signing_in.models import Authenticator
from tenants.isolation.door import db

HOW_MANY = 10
#: 80 bits: too many to try, so that a fast hash does.
BYTES = 10
KIND = "recovery_code"


def replace_codes(user_id: UUID) -> list[str]:
    """Ten new codes, which are shown once; those of before open nothing any more."""
    forget_codes(user_id)
    codes = [_grouped(base64.b32encode(secrets.token_bytes(BYTES)).decode().lower()) for _ in range(HOW_MANY)]
    db().add_all(
        Authenticator(
            user_id=user_id, kind=KIND, name="Recovery code", hash=_hash(user_id, each), confirmed_at=now()
        )
        for each in codes
    )
    db().flush()
    return codes


def use_recovery_code(user_id: UUID, code: str) -> bool:
    """Use one up: of many who show it at once, one gets True."""
    spent = delete(Authenticator).where(
        Authenticator.user_id == user_id,
        Authenticator.kind == KIND,
        Authenticator.hash == _hash(user_id, code),
    )
    ids = db().scalars(spent.returning(Authenticator.id)).all()
    note_authenticators(ids)
    return bool(ids)


def codes_left(user_id: UUID) -> int:
    query = select(func.count()).where(Authenticator.user_id == user_id, Authenticator.kind == KIND)
    return db().scalar(query) or 0


def forget_codes(user_id: UUID) -> None:
    mine = delete(Authenticator).where(Authenticator.user_id == user_id, Authenticator.kind == KIND)
    note_authenticators(db().scalars(mine.returning(Authenticator.id)).all())


def _grouped(code: str) -> str:
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def _hash(user_id: UUID, code: str) -> bytes:
    plain = "".join(each for each in code.lower() if each.isalnum())
    return sha256(user_id.bytes + plain.encode()).digest()
