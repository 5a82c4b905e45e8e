"""Which tenants' roles the staff's login may take at this moment; only the owner's login gives and takes them."""

from collections.abc import Iterable
from dataclasses import dataclass

import psycopg
from psycopg import sql

from tenants.isolation.conninfo import conninfo
from tenants.isolation.owner import as_owner

STAFF = "freehold_staff"
HELD = """
select r.rolname from pg_auth_members m join pg_roles r on r.oid = m.roleid join pg_roles s on s.oid = m.member
where s.rolname = 'freehold_staff' and r.rolname ~ '^t_[0-9a-f]{32}$'
  and exists (select from pg_namespace n where n.nspname = r.rolname)
"""
END_CONNECTIONS = """
select pg_terminate_backend(pid) from pg_stat_activity
where usename = 'freehold_staff' and datname = current_database()
"""


@dataclass(frozen=True)
class Settled:
    """What was given to the staff's login and what was taken from it."""

    given: frozenset[str]
    taken: frozenset[str]


def settle(owner_url: str | None, wanted: Iterable[str], *, over: bool) -> Settled:
    """Make the staff's login a member of these tenants' roles on one cell, and of no other's.

    When a role was taken, or a visit is `over`, every connection of the staff's login ends: one that took the role
    before keeps it otherwise, whatever it is a member of. Raises OwnerError, Unavailable without the owner's URL.
    """
    login = sql.Identifier(STAFF)
    with as_owner(owner_url, autocommit=True) as connection:
        held = _held(connection)
        taken, given = held - set(wanted), set(wanted) - held
        for role in sorted(taken):
            connection.execute(sql.SQL("revoke {} from {}").format(sql.Identifier(role), login))
        if taken or over:
            connection.execute(END_CONNECTIONS)
        for role in sorted(given):
            connection.execute(
                sql.SQL("grant {} to {} with inherit false, set true").format(sql.Identifier(role), login)
            )
    return Settled(frozenset(given), frozenset(taken))


def held_by_staff(staff_url: str) -> set[str]:
    """The tenants' roles that the staff's login may take, by its own word. Raises psycopg.Error."""
    with psycopg.connect(conninfo(staff_url), autocommit=True, connect_timeout=10) as connection:
        return _held(connection)


def _held(connection: psycopg.Connection) -> set[str]:
    return {row[0] for row in connection.execute(HELD)}
