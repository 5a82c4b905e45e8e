"""Migrations: what they build equals what provisioning builds, and a tenant that fails stands alone."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import delete, make_url, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from tenants.catalog.models import State, Tenant, TenantKey
from tenants.catalog.registry import Catalog, role_of
from tenants.foundation.identifiers import new_id
from tenants.foundation.servers import EmbeddedServers
from tenants.foundation.settings import Settings
from tenants.isolation.bootstrap import LOGINS, Logins, bootstrap
from tenants.isolation.conninfo import conninfo
from tenants.isolation.key_file import LocalKeyFile
from tenants.isolation.owner import as_owner, run_all
from tenants.isolation.roles import birth, grants, path
from tenants.provisioning import migrating
from tenants.provisioning.birth import Nursery
from tenants.provisioning.migrating import migrate_catalog, migrate_tenants
from tenants.provisioning.models import SchemaRevision
from tenants.provisioning.revisions import Revision, head, steps
from tests.tenants.provisioning.schemas import fingerprint


@dataclass
class Ground:
    """A database of its own, whose tenants can be migrated without touching those of other tests."""

    logins: Logins
    catalog: Catalog
    nursery: Nursery

    def migrate(self, progress: Callable[[int, int], None] = lambda _done, _total: None):
        return migrate_tenants(self.catalog, self.nursery.owner_urls, progress)

    def spares(self, wanted: int) -> list[UUID]:
        """So many tenants, and none of an earlier test in the way."""
        with self.catalog.transaction() as session:
            session.execute(delete(TenantKey))
            session.execute(delete(Tenant))
        return [self.nursery.make_spare() for _ in range(wanted)]

    def run(self, tenant_id: UUID, statement: str) -> list[tuple]:
        with psycopg.connect(conninfo(self.logins.owner)) as connection:
            connection.execute(f"set search_path = {role_of(tenant_id)}")
            found = connection.execute(statement)
            return found.fetchall() if found.description else []

    def row(self, tenant_id: UUID) -> Tenant:
        with self.catalog.transaction() as session:
            tenant = session.scalars(select(Tenant).where(Tenant.id == tenant_id)).one()
            session.expunge(tenant)
            return tenant


@pytest.fixture(scope="module")
def ground(servers: EmbeddedServers, logins: Logins, settings: Settings) -> Iterator[Ground]:
    passwords = {
        login: make_url(url).password or ""
        for login, url in zip(LOGINS, (logins.owner, logins.app, logins.staff, logins.catalog), strict=True)
    }
    made = bootstrap(servers.admin_url, passwords, database="migrations")
    migrate_catalog(made.owner)
    catalog = Catalog(made.catalog)
    yield Ground(
        made, catalog, Nursery(catalog, LocalKeyFile(settings.key_file), head(), {"main": made.owner})
    )
    catalog.engine.dispose()


@pytest.fixture
def revisions(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the line of tenants go on with these revisions."""

    def arrange(*ahead: Revision) -> None:
        names = [head(), *(each.name for each in ahead)]
        monkeypatch.setattr(migrating, "head", lambda: names[-1])
        monkeypatch.setattr(migrating, "steps", lambda _line, since: ahead[names.index(since) :])

    return arrange


def test_provisioning_and_migrating_from_the_beginning_build_the_same(ground: Ground) -> None:
    (provisioned,) = ground.spares(1)
    role = role_of(new_id())
    with as_owner(ground.logins.owner) as connection:
        # The table that says where a schema stands is there before its first revision.
        ledger = str(CreateTable(SchemaRevision.__table__).compile(dialect=postgresql.dialect()))
        run_all(connection, [*birth(role), path(role), ledger])
        for step in steps("tenant", None):
            run_all(connection, step.statements)
        run_all(connection, grants(role))
    built = fingerprint(ground.logins.owner, role_of(provisioned))
    migrated = fingerprint(ground.logins.owner, role)
    assert len(built["columns"]) > 100
    assert built["programs"] == set()
    for kind, said in built.items():
        assert said - migrated[kind] == set(), f"{kind} that migrations don't build"
        assert migrated[kind] - said == set(), f"{kind} that only migrations build"


def test_a_tenant_that_fails_is_fenced_alone_and_mended_by_the_next_run(ground: Ground, revisions) -> None:
    good, broken, other = ground.spares(3)
    ground.run(broken, "alter table users add column probe text")
    revisions(Revision("probe", ("alter table users add column probe text",), transactional=True))
    told: list[tuple[int, int]] = []

    outcome = ground.migrate(lambda done, total: told.append((done, total)))

    assert list(outcome.failed) == [broken]
    assert "probe" in outcome.failed[broken]
    assert told == [(number, outcome.migrated + 1) for number in range(1, outcome.migrated + 2)]
    fenced = ground.row(broken)
    assert (fenced.state, fenced.revision) == (State.FENCED, head())
    assert "probe" in fenced.fence_reason
    for each in (good, other):
        assert (ground.row(each).state, ground.row(each).revision) == (State.SPARE, "probe")
        assert ground.run(each, "select revision from schema_revision") == [("probe",)]
        assert ground.run(each, "select probe from users") == []

    ground.run(broken, "alter table users drop column probe")
    mended = ground.migrate()

    assert (mended.migrated, mended.failed) == (1, {})
    assert (ground.row(broken).state, ground.row(broken).fence_reason) == (State.SPARE, None)


def test_a_run_goes_on_where_the_last_one_stopped(ground: Ground, revisions) -> None:
    (tenant,) = ground.spares(1)
    first = Revision(
        "first", ("create table trace (n int)", "insert into trace values (1)"), transactional=True
    )
    wrong = Revision(
        "second", ("insert into trace values (2)", "insert into nowhere values (1)"), transactional=True
    )
    right = Revision("second", ("insert into trace values (2)",), transactional=True)
    revisions(first, wrong)

    assert tenant in ground.migrate().failed
    assert ground.run(tenant, "select revision, n from schema_revision, trace") == [("first", 1)]

    revisions(first, right)
    assert tenant not in ground.migrate().failed
    assert ground.run(tenant, "select revision, n from schema_revision, trace order by n") == [
        ("second", 1),
        ("second", 2),
    ]


def test_a_revision_outside_of_transactions_is_marked_too(ground: Ground, revisions) -> None:
    (tenant,) = ground.spares(1)
    statement = "create index concurrently if not exists users_office_idx on users (office)"
    revisions(Revision("concurrent", (statement,), transactional=False))

    assert tenant not in ground.migrate().failed
    assert ground.run(tenant, "select revision from schema_revision") == [("concurrent",)]
    question = "select indexdef from pg_indexes where indexname = 'users_office_idx'"
    found = ground.run(tenant, f"{question} and schemaname = current_schema()")
    assert len(found) == 1
    assert role_of(tenant) in found[0][0]


@pytest.mark.soak
def test_migrators_at_the_same_time_do_everything_once(ground: Ground, revisions) -> None:
    tenants = ground.spares(4)
    slow = ("create table trace (n int)", "insert into trace values (1)", "select pg_sleep(0.05)")
    revisions(
        Revision("first", slow, transactional=True),
        Revision(
            "second", ("create index concurrently if not exists trace_idx on trace (n)",), transactional=False
        ),
        Revision("third", ("update trace set n = n + 1",), transactional=True),
    )
    begun = threading.Barrier(3)

    def migrate(_number: int):
        begun.wait()
        return ground.migrate()

    with ThreadPoolExecutor(3) as crew:
        outcomes = list(crew.map(migrate, range(3)))

    assert [set(each.failed) & set(tenants) for each in outcomes] == [set(), set(), set()]
    for each in tenants:
        assert ground.run(each, "select n from trace") == [(2,)]
        assert (ground.row(each).state, ground.row(each).revision) == (State.SPARE, "third")


def test_catalogs_are_migrated_once_however_many_try(servers: EmbeddedServers, logins: Logins) -> None:
    passwords = {
        login: make_url(url).password or ""
        for login, url in zip(LOGINS, (logins.owner, logins.app, logins.staff, logins.catalog), strict=True)
    }
    made = bootstrap(servers.admin_url, passwords, database="catalogs")
    with ThreadPoolExecutor(4) as crew:
        list(crew.map(migrate_catalog, [made.owner] * 4))
    catalog = Catalog(made.catalog)
    assert catalog.homes() == []
    catalog.engine.dispose()
