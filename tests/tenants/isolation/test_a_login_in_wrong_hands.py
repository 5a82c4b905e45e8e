"""Whoever has the password of a login of ours disturbs no other connection with it, or is found out at the start."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from tenants.foundation.servers import EmbeddedServers
from tenants.isolation.bootstrap import LOGINS, Logins, bootstrap
from tenants.isolation.cells import SETTLED, Cells
from tenants.isolation.startup import UnsafeDatabase, check_logins

#: What would disturb whoever signs in with the same login.
OWN = {
    "search_path": "pg_catalog",
    "timezone": "Pacific/Auckland",
    "datestyle": "German",
    "default_transaction_read_only": "on",
    "bytea_output": "escape",
}
EVERY = ("owner", "app", "staff", "catalog")


@dataclass
class Cluster:
    """A server of its own: what is set on a login holds for whoever uses it."""

    admin_url: str
    passwords: dict[str, str] = field(
        default_factory=lambda: {login: secrets.token_hex(8) for login in LOGINS}
    )

    def bootstrap(self) -> Logins:
        return bootstrap(self.admin_url, self.passwords)


def connect(url: str, **other: str) -> psycopg.Connection:
    conninfo = make_url(url).set(drivername="postgresql", **other).render_as_string(hide_password=False)
    return psycopg.connect(conninfo, autocommit=True)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with EmbeddedServers(tmp_path_factory.mktemp("wrong-hands"), fsync=False) as running:
        made = Cluster(running.admin_url)
        with connect(made.admin_url) as connection:
            connection.execute("create role somebody_else login password 'theirs'")
        yield made


@pytest.fixture(scope="module")
def logins(cluster: Cluster) -> Logins:
    """The logins as they should be; whoever changes one puts it right."""
    return cluster.bootstrap()


def set_for_good(url: str, login: str, name: str, value: str) -> None:
    """What any role may do to itself."""
    with connect(url) as connection:
        connection.execute("set default_transaction_read_only = off")
        connection.execute(
            sql.SQL("alter role {} set {} = {}").format(
                sql.Identifier(f"freehold_{login}"), sql.Identifier(name), sql.Literal(value)
            )
        )


def test_a_login_gets_into_no_other_database_of_the_cluster(logins: Logins, cluster: Cluster) -> None:
    for database in ("postgres", "template1"):
        for login in EVERY:
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                connect(getattr(logins, login), database=database)
        with connect(
            cluster.admin_url, username="somebody_else", password="theirs", database=database
        ) as other:
            assert other.execute("select current_user").fetchone() == ("somebody_else",)


@pytest.mark.parametrize("login", EVERY)
def test_a_login_makes_no_large_objects(logins: Logins, login: str) -> None:
    with connect(getattr(logins, login)) as connection:
        for statement in ("lo_create(0)", "lo_creat(-1)", "lo_from_bytea(0, 'x')", "lo_put(1, 0, 'x')"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"select {statement}".encode())
        assert connection.execute("select count(*) from pg_largeobject_metadata").fetchone() == (0,)


@pytest.mark.parametrize("login", ["app", "staff"])
def test_what_a_login_set_for_itself_changes_no_connection_of_ours(
    cluster: Cluster, logins: Logins, login: str
) -> None:
    url = getattr(logins, login)
    for name, value in OWN.items():
        set_for_good(url, login, name, value)
    cells = Cells({"main": url})
    entry = cells.engine("main").raw_connection()
    try:
        driver = entry.driver_connection
        assert driver is not None
        found = {each: driver.execute("select current_setting(%s)", [each]).fetchone()[0] for each in SETTLED}
        assert found == SETTLED
    finally:
        entry.close()
        cells.dispose()
        cluster.bootstrap()


def test_what_a_login_set_for_itself_stops_the_next_start_until_it_is_put_right(
    cluster: Cluster, logins: Logins
) -> None:
    check_logins({"URL": logins.staff})
    for name, value in OWN.items():
        set_for_good(logins.staff, "staff", name, value)
        with pytest.raises(UnsafeDatabase, match=rf"URL: 'freehold_staff' has a setting .*\({name}\)"):
            check_logins({"URL": logins.staff})
        with connect(cluster.admin_url) as connection:
            connection.execute(sql.SQL("alter role freehold_staff reset {}").format(sql.Identifier(name)))
    set_for_good(logins.staff, "staff", "search_path", "public")
    check_logins({"URL": cluster.bootstrap().staff})


def test_a_time_that_an_operator_chose_is_fine_and_one_that_stops_all_work_is_not(
    cluster: Cluster, logins: Logins
) -> None:
    set_for_good(logins.app, "app", "statement_timeout", "10s")
    check_logins({"URL": logins.app})
    set_for_good(logins.app, "app", "statement_timeout", "400ms")
    with pytest.raises(UnsafeDatabase, match="statement_timeout"):
        check_logins({"URL": logins.app})
    cluster.bootstrap()
    with connect(logins.app) as connection:
        assert connection.execute("show statement_timeout").fetchone() == ("30s",)


def test_what_was_set_for_one_database_alone_is_found_and_put_right_too(
    cluster: Cluster, logins: Logins
) -> None:
    with connect(logins.staff) as connection:
        connection.execute("alter role freehold_staff in database freehold set enable_indexscan = off")
    with pytest.raises(UnsafeDatabase, match="enable_indexscan"):
        check_logins({"URL": logins.staff})
    check_logins({"URL": cluster.bootstrap().staff})
