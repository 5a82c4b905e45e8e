"""Freezes a tenant's schema in the database's own word: its role may read and write nothing any more.

Whatever writes at that moment ends first: the owner takes every table in share mode, for which writers in their way are
waited for, and takes the rights away in the same transaction. So no write ends after `freeze` has returned.
"""

import time

import psycopg
from psycopg import sql

from tenants.foundation.errors import Unavailable
from tenants.isolation.owner import as_owner, run_all
from tenants.isolation.roles import grants, path

#: Shorter than the second after which PostgreSQL looks for deadlocks, so that no writer is ended because of us.
LOCK_TIMEOUT = sql.SQL("set local lock_timeout = '300ms'")
PAUSE_SECONDS = 0.2
PATIENCE_SECONDS = 60.0
TABLES = "select relname from pg_class where relnamespace = %s::regnamespace and relkind in ('r', 'p') order by relname"
SAY = "update tenant_profile set state = 'frozen'"
IS_FROZEN = """
select not exists (select from pg_class c where c.relnamespace = %(role)s::text::regnamespace and c.relkind in ('r', 'p')
  and has_table_privilege(%(role)s::text, c.oid, 'insert, update, delete'))
"""


def freeze(owner_url: str | None, role: str, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Have the tenant's role write nothing from the end of this call on; doing it twice is doing it once.

    Raises Unavailable when somebody went on writing for all of `patience_seconds`, or without the owner's URL.
    """
    until = time.monotonic() + patience_seconds
    while not _frozen(owner_url, role):
        if time.monotonic() > until:
            raise Unavailable("Somebody is still writing there. Try again when their work is done.")
        time.sleep(PAUSE_SECONDS)


def lift(owner_url: str | None, role: str) -> None:
    """Give the tenant's role back what it may do. What the schema says of its state stays for others to say."""
    with as_owner(owner_url) as connection:
        run_all(connection, [path(role), *grants(role)])


def is_frozen(owner_url: str | None, role: str) -> bool:
    """Whether the role has no right left to change a row of any table."""
    with as_owner(owner_url) as connection:
        return connection.execute(IS_FROZEN, {"role": role}).fetchone() == (True,)


def _frozen(owner_url: str | None, role: str) -> bool:
    """One try: all of it or nothing."""
    tenant = sql.Identifier(role)
    try:
        with as_owner(owner_url) as connection:
            names = [sql.Identifier(name) for (name,) in connection.execute(TABLES, [role])]
            tables = sql.SQL(", ").join(names)
            run_all(
                connection,
                [
                    LOCK_TIMEOUT,
                    path(role),
                    sql.SQL("lock table {} in share mode").format(tables),
                    SAY,
                    sql.SQL("revoke insert, update, delete on {} from {}").format(tables, tenant),
                ],
            )
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
        return False
    return True
