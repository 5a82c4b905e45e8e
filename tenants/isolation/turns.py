"""One at a time: a turn that lasts until the transaction ends, for what no row stands for yet."""

from hashlib import sha256

import sqlalchemy as sa
from sqlalchemy import func, select

from tenants.isolation.door import db, here

HELD = sa.text(
    "select exists (select from pg_locks where locktype = 'advisory' and objsubid = 1 and granted"
    " and database = (select oid from pg_database where datname = current_database())"
    " and classid::bigint = :high and objid::bigint = :low)"
)
WORD = 32


def one_at_a_time(*what: str) -> None:
    """Wait until nobody else of this tenant has the turn of these words. Raises Unavailable after a while."""
    db().execute(select(func.pg_advisory_xact_lock(_place(what))))


def hold_open(*what: str) -> None:
    """Say, until the transaction ends, that something of these words is under way; any number may say so at once."""
    db().execute(select(func.pg_advisory_xact_lock_shared(_place(what))))


def is_held_open(*what: str) -> bool:
    """Whether anybody of this tenant says so at this moment."""
    place = _place(what) % 2 ** (2 * WORD)
    return bool(db().scalar(HELD, {"high": place >> WORD, "low": place % 2**WORD}))


def _place(what: tuple[str, ...]) -> int:
    digest = sha256("\0".join((str(here().home.id), *what)).encode()).digest()
    return int.from_bytes(digest[:8], signed=True)
