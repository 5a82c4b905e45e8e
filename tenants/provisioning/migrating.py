"""Brings the catalog and every tenant to the newest revision: in parallel, resumable, one transaction per tenant.

A tenant that fails is fenced and reported; the others go on. Running it again takes up what is left.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy import select

from tenants.catalog.models import CatalogBase, State, Tenant
from tenants.catalog.registry import Catalog, role_of
from tenants.foundation.errors import Unavailable
from tenants.isolation.owner import OwnerError
from tenants.isolation.stepping import step_catalog, step_tenant
from tenants.provisioning.revisions import head, steps

log = structlog.get_logger(__name__)
#: One that is frozen, archived or on its way has its turn when it is back.
MIGRATED = (State.SPARE, State.CLAIMED, State.ACTIVE, State.FENCED, State.SUSPENDED, State.CLOSING)
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
    names = [table.name for table in CatalogBase.metadata.sorted_tables]
    step_catalog(owner_url, lambda since: steps("catalog", since), names)


def migrate_tenants(
    catalog: Catalog, owner_urls: dict[str, str | None], progress: Progress = lambda _done, _total: None
) -> Outcome:
    """Bring every tenant, spares included, to the newest revision. `progress(done, total)` is called after each."""
    target = head()
    with catalog.transaction() as session:
        every = session.execute(
            select(Tenant.id, Tenant.cell, Tenant.revision, Tenant.state).where(Tenant.state.in_(MIGRATED))
        ).all()
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
        step_tenant(owner_url, role_of(tenant_id), lambda since: steps("tenant", since))
        reached, reason = head(), None
    except (OwnerError, Unavailable) as error:
        reason, reached = str(error).strip().splitlines()[0], None
        log.warning("migration_failed", tenant=str(tenant_id), reason=reason)
    _write_ledger(catalog, tenant_id, reached, reason)
    return reason


def _write_ledger(catalog: Catalog, tenant_id: UUID, reached: str | None, reason: str | None) -> None:
    """A tenant that failed is fenced; one that was fenced and is mended goes back to what it was."""
    with catalog.transaction() as session:
        tenant = session.get_one(Tenant, tenant_id)
        if reached is not None:
            tenant.revision, tenant.fence_reason = reached, None
            if tenant.state == State.FENCED:
                tenant.state = tenant.state_before or (State.ACTIVE if tenant.slug else State.SPARE)
                tenant.state_before = None
        elif tenant.state != State.CLAIMED:
            if tenant.state != State.FENCED:
                tenant.state_before = tenant.state
            tenant.state, tenant.fence_reason = State.FENCED, reason
