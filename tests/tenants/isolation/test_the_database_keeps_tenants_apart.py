"""The database's own word: who may read what, without any help of the program."""

import psycopg
import pytest
from psycopg import sql

from tenants.foundation.settings import Settings
from tenants.foundation.tables import Base
from tenants.isolation.bootstrap import Logins
from tenants.isolation.conninfo import conninfo
from tenants.isolation.door import inside
from tenants.isolation.startup import UnsafeDatabase, check_logins
from tests.workspace import Workspace


def _connect(url: str) -> psycopg.Connection:
    return psycopg.connect(conninfo(url), autocommit=True)


def everything(workspace: Workspace, table: str) -> sql.Composed:
    return sql.SQL("select * from {}").format(sql.Identifier(workspace.home.role, table))


@pytest.mark.promise("1-31")
@pytest.mark.parametrize("login", ["app", "staff", "catalog"])
def test_a_login_without_a_tenant_reads_nothing(
    logins: Logins, acme: Workspace, neighbour: Workspace, login: str
) -> None:
    with _connect(getattr(logins, login)) as connection:
        for workspace in (acme, neighbour):
            for table in Base.metadata.tables:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(everything(workspace, table))
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("select * from contacts")


def test_the_staff_login_can_become_no_tenant(logins: Logins, acme: Workspace, neighbour: Workspace) -> None:
    with _connect(logins.staff) as connection:
        for workspace in (acme, neighbour):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("select set_config('role', %s, false)", [workspace.home.role])


def test_a_tenants_role_reads_nothing_of_another(acme: Workspace, neighbour: Workspace) -> None:
    for table in Base.metadata.tables:
        with inside(acme.home) as tenancy, pytest.raises(psycopg.errors.InsufficientPrivilege):
            tenancy.connection.connection.driver_connection.execute(everything(neighbour, table))


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_events set action = 'x'",
        "delete from audit_events",
        "truncate audit_events",
        "update audit_values set salt = ''",
        "update audit_seals set root = ''",
        "delete from audit_seals",
        "update audit_seal_members set event_id = event_id",
        "delete from audit_seal_members",
    ],
)
def test_the_audit_refuses_to_be_changed(acme: Workspace, neighbour: Workspace, statement: str) -> None:
    for workspace in (acme, neighbour):
        with inside(workspace.home) as tenancy, pytest.raises(psycopg.errors.InsufficientPrivilege):
            tenancy.connection.connection.driver_connection.execute(statement)


def test_a_tenants_role_makes_no_tables_at_all(acme: Workspace, neighbour: Workspace) -> None:
    for workspace in (acme, neighbour):
        for statement in ("create temp table contacts (id int)", "create table mine (id int)"):
            with inside(workspace.home) as tenancy, pytest.raises(psycopg.errors.InsufficientPrivilege):
                tenancy.connection.connection.driver_connection.execute(statement)


def test_the_start_is_refused_to_a_login_that_could_read_everything(
    servers: object, settings: Settings, acme: Workspace
) -> None:
    check_logins({"DATABASE_URL": settings.database_url})
    with pytest.raises(UnsafeDatabase, match="superuser"):
        check_logins({"DATABASE_URL": servers.admin_url})  # type: ignore[attr-defined]
    with pytest.raises(UnsafeDatabase, match="rights of its own"):
        check_logins({"DATABASE_URL": settings.owner_database_url})
