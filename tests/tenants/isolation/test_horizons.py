"""Whatever was written since a moment is found by the transaction that wrote it; what was not, is not."""

import pytest
import sqlalchemy as sa
from psycopg import sql

from tenants.catalog.registry import Home
from tenants.foundation.tables import Base
from tenants.isolation.beside import Beside
from tenants.isolation.bootstrap import Logins
from tenants.isolation.door import db, inside
from tenants.isolation.horizons import (
    CIRCLE,
    OLDEST,
    Horizon,
    holds_here,
    horizon_here,
    knowing,
    outlive_a_crash,
    written_since,
)
from tenants.isolation.owner import as_owner
from tests.entered import add, added
from tests.workspace import Workspace

SNAPSHOT = "isolation level repeatable read read only"
CONTACTS = Base.metadata.tables["contacts"]
CHANGE = sa.text("update contacts set last_name = last_name || '!' where last_name = :name")


def changed(home: Home, name: str) -> None:
    with inside(home):
        db().execute(CHANGE, {"name": name})


def moment(home: Home) -> Horizon:
    with inside(home, isolation=SNAPSHOT):
        return horizon_here()


def written(home: Home, since: Horizon) -> set[str]:
    with inside(home):
        late = sa.select(CONTACTS.c.last_name).where(written_since(since))
        return set(db().connection().scalars(late))


@pytest.fixture
def old(acme: Workspace, neighbour: Workspace) -> Horizon:
    """A moment when both had a contact `Old` and one `Still`."""
    for each in (acme.home, neighbour.home):
        added(each, "Old")
        added(each, "Still")
    return moment(acme.home)


def test_what_was_added_and_changed_since_is_found_and_nothing_else(
    acme: Workspace, neighbour: Workspace, old: Horizon
) -> None:
    assert written(acme.home, old) == set()
    added(acme.home, "New")
    changed(acme.home, "Old")
    assert written(acme.home, old) == {"New", "Old!"}
    assert written(neighbour.home, old) == set()


def test_what_was_under_way_at_that_moment_is_found(
    acme: Workspace, neighbour: Workspace, old: Horizon
) -> None:
    with Beside(inside(acme.home)) as people:
        people.do(add, "Under way")
        people.do(db_savepoint)
        since = moment(acme.home)
        people.do(add, "In a savepoint")
        added(acme.home, "Ended first")
    assert since.xid >= old.xid
    assert written(acme.home, since) == {"Under way", "In a savepoint", "Ended first"}
    assert written(neighbour.home, since) == set()


def db_savepoint() -> None:
    db().execute(sa.text("savepoint later"))


@pytest.mark.parametrize(
    "rewrite", ["vacuum (full) {}", "vacuum (freeze) {}", "cluster {} using contacts_pkey"]
)
def test_a_table_that_is_written_anew_hides_no_row(
    acme: Workspace, neighbour: Workspace, old: Horizon, logins: Logins, rewrite: str
) -> None:
    changed(acme.home, "Old")
    for each in (acme.home, neighbour.home):
        with as_owner(logins.owner, autocommit=True) as connection:
            connection.execute(sql.SQL(rewrite).format(sql.Identifier(each.role, "contacts")))
    assert written(acme.home, old) == {"Old!"}
    assert written(neighbour.home, old) == set()


def test_what_was_there_under_a_later_number_is_known(
    acme: Workspace, neighbour: Workspace, old: Horizon
) -> None:
    with Beside(inside(neighbour.home)) as others:
        others.do(add, "Theirs, begun before")
        added(acme.home, "Known")
        with inside(acme.home, isolation=SNAPSHOT):
            since = horizon_here()
            knows = knowing(since, [CONTACTS])
    assert len(knows.known) == 1
    assert Horizon.from_json(knows.as_json()) == knows
    added(acme.home, "New")
    assert written(acme.home, since) == {"Known", "New"}
    assert written(acme.home, knows) == {"New"}
    assert written(neighbour.home, knows) == {"Theirs, begun before"}


def test_a_moment_of_another_server_or_of_one_that_was_set_back_does_not_hold(
    acme: Workspace, neighbour: Workspace, old: Horizon
) -> None:
    for home in (acme.home, neighbour.home):
        with inside(home):
            assert holds_here(old)
            assert holds_here(Horizon(old.server, old.xid - OLDEST // 2))
            assert not holds_here(Horizon("another", old.xid))
            assert not holds_here(Horizon(old.server, old.xid + CIRCLE))
            assert not holds_here(Horizon(old.server, old.xid - OLDEST))


def test_numbers_that_are_taken_are_written_to_disk(
    acme: Workspace, neighbour: Workspace, old: Horizon
) -> None:
    with inside(acme.home):
        db().execute(sa.text("set local synchronous_commit = off"))
        outlive_a_crash()
        taken = db().scalar(sa.text("select pg_current_wal_insert_lsn()::text"))
    with inside(neighbour.home):
        flushed = sa.text("select pg_current_wal_flush_lsn() >= cast(:taken as pg_lsn)")
        assert db().scalar(flushed, {"taken": taken})
    assert moment(acme.home).xid > old.xid
