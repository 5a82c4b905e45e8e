"""Brings the catalog and every tenant to the newest revision: in parallel, resumable, one transaction per tenant.

A tenant that fails is fenced and reported; the others go on. Running it again takes up what is left.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import UUID

import structlog
from psycopg import Connection, Error, sql
from sqlalchemy import select

from tenants.catalog.models import CatalogBase, State, Tenant
from tenants.catalog.registry import Catalog, role_of
from tenants.foundation.errors import Unavailable
from tenants.isolation.owner import as_owner, run_all
from tenants.isolation.roles import grants, path
from tenants.provisioning.revisions import Revision, head, steps

log = structlog.get_logger(__name__)
LOCK_TIMEOUT = sql.SQL("set local lock_timeout = '5s'")
MIGRATED = (State.SPARE, State.CLAIMED, State.ACTIVE, State.FENCED)
AT_ONCE = 4
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Outcome:
    """What a run of migrations did; `failed` maps a tenant to the reason."""

    migrated: int
    skipped: int
    failed: dict[UUID, str]


def migrate_catalog(owner_url: str) -> None:
    """Bring the catalog's tables to the newest revision, and let `freehold_catalog` use them."""
    with as_owner(owner_url) as connection:
        run_all(connection, [sql.SQL("set local search_path = catalog"), sql.SQL("create table if not exists schema_revision (revision text primary key)")])
        row = connection.execute("select revision from schema_revision").fetchone()
        since = row[0] if row else None
        for step in steps("catalog", since):
            run_all(connection, [LOCK_TIMEOUT, *step.statements, *_marked(step.name)])
        names = sql.SQL(", ").join(sql.Identifier("catalog", table.name) for table in CatalogBase.metadata.sorted_tables)
        connection.execute(sql.SQL("grant select, insert, update, delete on {} to freehold_catalog").format(names))


def migrate_tenants(catalog: Catalog, owner_urls: dict[str, str | None], progress: Progress = lambda _done, _total: None) -> Outcome:
    """Bring every tenant, spares included, to the newest revision. `progress(done, total)` is called after each."""
    target = head()
    with catalog.transaction() as session:
        every = session.execute(select(Tenant.id, Tenant.cell, Tenant.revision, Tenant.state).where(Tenant.state.in_(MIGRATED))).all()
    behind = [row for row in every if row.revision != target or row.state == State.FENCED]
    failed: dict[UUID, str] = {}
    with ThreadPoolExecutor(AT_ONCE) as crew:
        work = crew.map(lambda row: _migrate(catalog, owner_urls.get(row.cell), row.id), behind)
        for number, (row, reason) in enumerate(zip(behind, work, strict=True), start=1):
            if reason is not None:
                failed[row.id] = reason
            progress(number, len(behind))
    return Outcome(len(behind) - len(failed), len(every) - len(behind), failed)


def _migrate(catalog: Catalog, owner_url: str | None, tenant_id: UUID) -> str | None:
    """None when the tenant is at the newest revision now, else why it is not."""
    try:
        reached = _step_through(owner_url, role_of(tenant_id))
        reason = None
    except (Error, Unavailable) as error:
        reason, reached = str(error).strip().splitlines()[0], None
        log.error("migration_failed", tenant=str(tenant_id), reason=reason)
    _write_ledger(catalog, tenant_id, reached, reason)
    return reason


def _step_through(owner_url: str | None, role: str) -> str:
    """Each revision with its version row in one transaction. The schema's own row is the truth, the ledger a copy."""
    with as_owner(owner_url, autocommit=True) as connection:
        since = _revision_of(connection, role)
        for step in steps("tenant", since):
            if step.transactional:
                with connection.transaction():
                    run_all(connection, [LOCK_TIMEOUT, path(role), *step.statements, *_marked(step.name)])
            else:
                _run_outside(connection, role, step)
        with connection.transaction():
            run_all(connection, [path(role), *grants(role)])
    return head()


def _run_outside(connection: Connection, role: str, step: Revision) -> None:
    """Statements that no transaction may hold; each must be one that can be run again (`if not exists`)."""
    connection.execute(sql.SQL("set search_path = {}").format(sql.Identifier(role)))
    for statement in step.statements:
        connection.execute(statement.encode())
    with connection.transaction():
        run_all(connection, _marked(step.name))
    connection.execute("reset search_path")


def _revision_of(connection: Connection, role: str) -> str | None:
    row = connection.execute(sql.SQL("select revision from {}").format(sql.Identifier(role, "schema_revision"))).fetchone()
    return row[0] if row else None


def _marked(revision: str) -> Iterator[sql.Composed]:
    yield sql.SQL("delete from schema_revision").format()
    yield sql.SQL("insert into schema_revision (revision) values ({})").format(sql.Literal(revision))


def _write_ledger(catalog: Catalog, tenant_id: UUID, reached: str | None, reason: str | None) -> None:
    """A tenant that failed is fenced; one that was fenced and is mended goes back to what it was."""
    with catalog.transaction() as session:
        tenant = session.get_one(Tenant, tenant_id)
        if reached is not None:
            tenant.revision, tenant.fence_reason = reached, None
            if tenant.state == State.FENCED:
                tenant.state = State.ACTIVE if tenant.slug else State.SPARE
        elif tenant.state != State.CLAIMED:
            tenant.state, tenant.fence_reason = State.FENCED, reason


