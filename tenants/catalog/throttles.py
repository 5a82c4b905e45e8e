"""Slows down guessing, never to a stop: some tries are free, then each waits twice as long as the one before.

Kept in the catalog's database: all processes share it, and emptying a cache gives nobody a new start.
"""

from dataclasses import dataclass

from sqlalchemy import RowMapping, text

from tenants.catalog.registry import Catalog
from tenants.foundation.errors import TooManyRequests

#: One statement, so that of many tries at once each counts: whoever waits for the row sees what the others left.
TRY = text("""
insert into catalog.throttles as t (key, tries, tried_at, closed_until)
values (:key, 1, clock_timestamp(), clock_timestamp() + make_interval(secs => case when :free >= 1 then 0 else 2 end))
on conflict (key) do update set
  tries = greatest(t.tries - extract(epoch from clock_timestamp() - t.tried_at) / :forgets, 0) + 1,
  tried_at = clock_timestamp(),
  closed_until = clock_timestamp() + make_interval(secs => case
    when greatest(t.tries - extract(epoch from clock_timestamp() - t.tried_at) / :forgets, 0) + 1 <= :free then 0
    else least(:longest, power(2, least(t.tries + 1 - :free, 30))) end)
where t.closed_until <= clock_timestamp()
returning tries
""")
WAIT = text(
    "select ceil(extract(epoch from closed_until - clock_timestamp())) as seconds from catalog.throttles where key = :key"
)
GIVE_BACK = text("update catalog.throttles set tries = greatest(tries - 1, 0) where key = :key")
FORGET = text("delete from catalog.throttles where key = :key")
TIDY = text("delete from catalog.throttles where tried_at < clock_timestamp() - interval '2 days'")


@dataclass(frozen=True, slots=True)
class Throttle:
    """So many free tries; one is forgotten every `forgets` seconds, and no wait is longer than `longest` seconds."""

    name: str
    free: int
    forgets: int
    longest: int


@dataclass(frozen=True, slots=True)
class Counted:
    """Something that is tried: under which throttle, and the keyed hash of who or what it counts for."""

    throttle: Throttle
    key: bytes


def spend(catalog: Catalog, *counted: Counted) -> None:
    """Count one try for each, in this order. Raises TooManyRequests, and counts none, when one of them has to wait."""
    with catalog.transaction() as session:
        for each in counted:
            limits = {name: getattr(each.throttle, name) for name in ("free", "forgets", "longest")}
            if session.execute(TRY, {"key": each.key, **limits}).first() is None:
                waiting: RowMapping = session.execute(WAIT, {"key": each.key}).mappings().one()
                raise TooManyRequests(
                    "Too many tries. Wait a moment, then try again.",
                    retry_after=max(1, int(waiting["seconds"])),
                )


def give_back(catalog: Catalog, *counted: Counted, forget: tuple[Counted, ...] = ()) -> None:
    """What was tried was right: take back one try of each, and all of those to forget."""
    with catalog.transaction() as session:
        for each in counted:
            session.execute(GIVE_BACK, {"key": each.key})
        for each in forget:
            session.execute(FORGET, {"key": each.key})


def tidy_throttles(catalog: Catalog) -> None:
    """Forget what nobody has tried for two days."""
    with catalog.transaction() as session:
        session.execute(TIDY)
