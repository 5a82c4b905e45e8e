"""What a passkey signs: made without a trace, because nobody is known yet, and good once."""

import hmac
import secrets
import time
from datetime import timedelta
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from tenants.foundation.clock import now
from tenants.foundation.identifiers import new_id, token_hash
from tenants.identity.models import OneTimeToken
from tenants.isolation.door import db
from tenants.isolation.keys import KeyWrapper

LASTS_SECONDS = 300
NONCE, TIME, MARK = 16, 8, 32


def new_challenge(wrapper: KeyWrapper) -> bytes:
    """A challenge that only this installation can have made, good for five minutes."""
    stem = secrets.token_bytes(NONCE) + int(time.time() + LASTS_SECONDS).to_bytes(TIME)
    return stem + _mark(wrapper, stem)


def is_ours(wrapper: KeyWrapper, challenge: bytes) -> bool:
    """Whether we made it, and not too long ago."""
    stem, mark = challenge[: NONCE + TIME], challenge[NONCE + TIME :]
    if len(mark) != MARK or not hmac.compare_digest(mark, _mark(wrapper, stem)):
        return False
    return int.from_bytes(stem[NONCE:]) > time.time()


def burn(challenge: bytes, user_id: UUID) -> bool:
    """Note in the tenant at hand that it was used; False when it had been: of many at once, one gets True."""
    expires = now() + timedelta(seconds=2 * LASTS_SECONDS)
    values = {"kind": "challenge", "hash": token_hash(challenge.hex()), "user_id": user_id}
    noted = insert(OneTimeToken).values(
        **values, id=new_id(), expires_at=expires, used_at=now(), created_at=now(), tries=0
    )  # fmt: skip
    done = noted.on_conflict_do_nothing(index_elements=["hash"]).returning(OneTimeToken.id)
    return db().execute(done).first() is not None


def _mark(wrapper: KeyWrapper, stem: bytes) -> bytes:
    return wrapper.hashed(stem.hex(), "passkey-challenge")
