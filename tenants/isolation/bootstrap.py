"""Makes the database logins of one cluster, once, with an administrator's connection.

`freehold_owner` owns every table and is held by `migrate` and the platform worker alone; `freehold_app` serves
requests and jobs and has no right of its own on any tenant; `freehold_staff` is a member of no tenant's role;
`freehold_catalog` reads and writes the catalog and nothing else.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

from tenants.isolation.conninfo import conninfo

LOGINS = ("freehold_owner", "freehold_app", "freehold_staff", "freehold_catalog")
DATABASE = "freehold"
#: Databases that every cluster has; whoever may sign in gets into them unless that is taken from PUBLIC.
OTHERS = ("postgres", "template1")
#: Whoever may write large objects writes outside of every schema, and fills the disk.
LARGE_OBJECTS = """
select p.oid::regprocedure::text from pg_proc p
where p.pronamespace = 'pg_catalog'::regnamespace and has_function_privilege('public', p.oid, 'execute')
  and (p.proname like 'lo\\_%' or p.proname in ('loread', 'lowrite'))
"""


@dataclass(frozen=True)
class Logins:
    """The URL of each login. They are secrets."""

    owner: str
    app: str
    staff: str
    catalog: str


def bootstrap(admin_url: str, passwords: Mapping[str, str], *, database: str = DATABASE) -> Logins:
    """Create or repair the logins and the database; running it again sets passwords and settings as they should be.

    `passwords` maps each of LOGINS to its password. Needs PostgreSQL 16 or later and a superuser.
    Raises psycopg.Error when the server refuses.
    """
    admin = make_url(admin_url)
    with psycopg.connect(conninfo(admin), autocommit=True) as connection:
        for login in LOGINS:
            _make_login(connection, login, passwords[login])
        if not connection.execute("select 1 from pg_database where datname = %s", [database]).fetchone():
            connection.execute(
                sql.SQL("create database {} owner {}").format(
                    sql.Identifier(database), sql.Identifier("freehold_owner")
                )
            )
        with connection.transaction():
            for statement in (*_without_settings(database), *_settings_of_logins()):
                connection.execute(statement)
        for other in OTHERS:
            _close(connection, other)
    with psycopg.connect(conninfo(admin.set(database=database)), autocommit=True) as connection:
        for statement in (*_rights(database), *_without_large_objects(connection)):
            connection.execute(statement)
    urls = [_login_url(admin, login, passwords[login], database) for login in LOGINS]
    return Logins(*urls)


def _make_login(connection: psycopg.Connection, login: str, password: str) -> None:
    exists = connection.execute("select 1 from pg_roles where rolname = %s", [login]).fetchone()
    may = sql.SQL("createrole inherit" if login == "freehold_owner" else "nocreaterole noinherit")
    connection.execute(
        sql.SQL("{} role {} login nosuperuser nobypassrls nocreatedb {} password {}").format(
            sql.SQL("alter" if exists else "create"), sql.Identifier(login), may, sql.Literal(password)
        )
    )


def _without_settings(database: str) -> Iterator[sql.Composed]:
    """A login may set what it likes for itself, for good: what it set is gone."""
    for login in map(sql.Identifier, LOGINS):
        yield sql.SQL("alter role {} reset all").format(login)
        yield sql.SQL("alter role {} in database {} reset all").format(login, sql.Identifier(database))


def _close(connection: psycopg.Connection, database: str) -> None:
    """Our logins don't get into this database any more; all others that could do so still do."""
    query = """
    select rolname from pg_roles where rolcanlogin and not rolsuper and rolname <> all(%(ours)s)
      and has_database_privilege('public', %(database)s, 'connect')
    """
    if not connection.execute("select 1 from pg_database where datname = %s", [database]).fetchone():
        return
    name = sql.Identifier(database)
    for (login,) in connection.execute(query, {"ours": list(LOGINS), "database": database}).fetchall():
        connection.execute(sql.SQL("grant connect on database {} to {}").format(name, sql.Identifier(login)))
    connection.execute(sql.SQL("revoke connect on database {} from public").format(name))


def _without_large_objects(connection: psycopg.Connection) -> Iterator[sql.Composed]:
    for (function,) in connection.execute(LARGE_OBJECTS).fetchall():
        yield sql.SQL("revoke execute on function {} from public").format(sql.SQL(function))


def _settings_of_logins() -> list[sql.SQL | sql.Composed]:
    """Session defaults live on the login, so that they hold behind a connection pooler too."""
    shared = {"search_path": '"$user"', "timezone": "UTC", "jit": "off", "lock_timeout": "3s"}
    waits = {"statement_timeout": "30s", "idle_in_transaction_session_timeout": "60s"}
    own = {"freehold_owner": {}, "freehold_catalog": waits | {"statement_timeout": "5s"}}
    return [
        sql.SQL("alter role {} set {} = {}").format(
            sql.Identifier(login),
            sql.Identifier(name),
            sql.SQL(value) if name == "search_path" else sql.Literal(value),
        )
        for login in LOGINS
        for name, value in (shared | own.get(login, waits)).items()
    ]


def _rights(database: str) -> list[sql.SQL | sql.Composed]:
    """Nobody makes temporary tables: one named like a real table would shadow it for the next tenant."""
    name, owner = sql.Identifier(database), sql.Identifier("freehold_owner")
    logins = sql.SQL(", ").join(map(sql.Identifier, LOGINS))
    return [
        sql.SQL("revoke all on database {} from public").format(name),
        sql.SQL("grant connect on database {} to {}").format(name, logins),
        sql.SQL("grant create on database {} to {}").format(name, owner),
        sql.SQL("revoke all on schema public from public"),
        sql.SQL("create schema if not exists catalog authorization {}").format(owner),
        sql.SQL("grant usage on schema catalog to freehold_catalog"),
        # So that the owner can end the staff's connections when a visit is over.
        sql.SQL("grant freehold_staff to freehold_owner with inherit true, set false"),
    ]  # fmt: skip


def _login_url(admin: URL, login: str, password: str, database: str) -> str:
    url = admin.set(drivername="postgresql+psycopg", username=login, password=password, database=database)
    return url.render_as_string(hide_password=False)
