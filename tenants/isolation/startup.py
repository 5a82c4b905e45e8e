"""What a process checks before it serves: that its login can do no more than it must."""

from collections.abc import Iterator, Mapping

import psycopg

from tenants.isolation.conninfo import conninfo

OLDEST_SERVER = 160000
SHORTEST_MS = 1000
#: What `bootstrap` sets on a login. Operators may choose other times; a login of ours sets nothing else for itself.
SETTINGS = (
    "search_path",
    "timezone",
    "jit",
    "lock_timeout",
    "statement_timeout",
    "idle_in_transaction_session_timeout",
)
EXACTLY = {"search_path": '"$user"', "timezone": "UTC"}
OWN_SETTINGS = """
select split_part(said, '=', 1), substr(said, strpos(said, '=') + 1)
from pg_db_role_setting s, unnest(s.setconfig) said
where s.setrole = (select oid from pg_roles where rolname = session_user)
  and s.setdatabase in (0, (select oid from pg_database where datname = current_database()))
order by said
"""
TOO_SHORT = """
select name from pg_settings
where name = any(%s) and source in ('user', 'database user') and setting::int between 1 and %s
"""


class UnsafeDatabase(Exception):
    """The program will not run on this database; the message says why and what to do."""


def check_logins(urls: Mapping[str, str]) -> None:
    """Refuse logins (a mapping of a name to show to its URL) that could read tenants by themselves.

    Raises UnsafeDatabase for a superuser, a role that bypasses row security, a login with rights of its own on a
    tenant's schema or that inherits a tenant's role, one that somebody changed settings of, or a server older than
    PostgreSQL 16.
    """
    for name, url in urls.items():
        try:
            with psycopg.connect(conninfo(url), autocommit=True, connect_timeout=10) as connection:
                if reason := next(_reasons(connection), None):
                    raise UnsafeDatabase(f"{name}: {reason}")
        except psycopg.OperationalError as error:
            raise UnsafeDatabase(
                f"{name}: the database can't be reached ({str(error).strip().splitlines()[0]})."
            ) from None


def _reasons(connection: psycopg.Connection) -> Iterator[str]:
    if connection.info.server_version < OLDEST_SERVER:
        yield "PostgreSQL 16 or later is needed."
    row = connection.execute(
        "select rolsuper, rolbypassrls, rolname from pg_roles where rolname = current_user"
    ).fetchone()
    assert row is not None  # noqa: S101 - one's own role always exists
    superuser, bypasses, login = row
    if superuser:
        yield f"'{login}' is a superuser, who reads every tenant. Run 'freehold bootstrap' and use the logins it makes."
    if bypasses:
        yield f"'{login}' bypasses row security. Run 'freehold bootstrap' and use the logins it makes."
    schema = connection.execute(
        "select nspname from pg_namespace where nspname ~ '^t_[0-9a-f]{32}$'"
        " and has_schema_privilege(current_user, oid, 'usage, create') limit 1"
    ).fetchone()
    if schema:
        yield f"'{login}' has rights of its own on the tenant schema {schema[0]}. Run 'freehold bootstrap'."
    yield from (
        f"'{login}' has a setting that Freehold did not give it ({name}). Somebody used its password: change it, and"
        " run 'freehold bootstrap', which puts settings right."
        for name in _foreign_settings(connection)
    )


def _foreign_settings(connection: psycopg.Connection) -> Iterator[str]:
    """The settings of the login at hand that are not ours: any role may change its own, for good."""
    for name, value in connection.execute(OWN_SETTINGS):
        if name.lower() not in SETTINGS or value != EXACTLY.get(name.lower(), value):
            yield name.lower()
    timeouts = [name for name in SETTINGS if name.endswith("_timeout")]
    yield from (name for (name,) in connection.execute(TOO_SHORT, [timeouts, SHORTEST_MS - 1]))
