"""Which tenants there are and where they live, read over the catalog's own connection."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from time import monotonic
from uuid import UUID

from sqlalchemy import Engine, create_engine, func, select
from sqlalchemy.orm import Session

from tenants.catalog.models import LookupHash, State, Tenant, TenantKey

HOME_KEPT_SECONDS = 15
LIVING = (State.CLAIMED, State.ACTIVE, State.FENCED)


@dataclass(frozen=True, slots=True)
class Home:
    """Where a tenant lives. Its schema and its role have one name, so that they can't disagree.

    A fenced one failed to migrate: this program may not know its tables, so nobody works there until it is mended.
    """

    id: UUID
    cell: str
    fenced: bool = field(default=False, compare=False)

    @property
    def role(self) -> str:
        return role_of(self.id)


@lru_cache(10_000)
def role_of(tenant_id: UUID) -> str:
    return f"t_{tenant_id.hex}"


class Catalog:
    """The catalog's connection; each block is one transaction."""

    def __init__(self, url: str, *, prepare: bool = True) -> None:
        """`prepare` as for `Cells`."""
        options = {} if prepare else {"prepare_threshold": None}
        self.engine: Engine = create_engine(
            url, pool_size=4, max_overflow=4, pool_pre_ping=True, connect_args=options
        )
        self._homes: dict[UUID, tuple[float, Home]] = {}

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        with Session(self.engine) as session, session.begin():
            yield session

    def home(self, tenant_id: UUID) -> Home | None:
        """Where this tenant lives, or None. Kept in memory for a quarter of a minute."""
        known = self._homes.get(tenant_id)
        if known is not None and known[0] > monotonic():
            return known[1]
        expires = monotonic() + HOME_KEPT_SECONDS
        with self.transaction() as session:
            row = session.execute(
                select(Tenant.cell, Tenant.state).where(Tenant.id == tenant_id, Tenant.state.in_(LIVING))
            ).first()
        if row is None:
            self.forget(tenant_id)
            return None
        home = Home(tenant_id, row.cell, row.state == State.FENCED)
        self._homes[tenant_id] = (expires, home)
        return home

    def homes(self, *states: State) -> list[Home]:
        """Every tenant in one of these states (active ones, when none is named), oldest first."""
        wanted = states or (State.ACTIVE,)
        query = select(Tenant.id, Tenant.cell).where(Tenant.state.in_(wanted)).order_by(Tenant.id)
        with self.transaction() as session:
            return [Home(row.id, row.cell) for row in session.execute(query)]

    def by_slug(self, slug: str) -> Home | None:
        query = select(Tenant.id, Tenant.cell).where(Tenant.slug == slug, Tenant.state.in_(LIVING))
        with self.transaction() as session:
            row = session.execute(query).first()
        return Home(row.id, row.cell) if row else None

    def by_hash(self, kind: str, hashed: bytes) -> list[Home]:
        """The tenants that a keyed hash leads to; nothing else is learnt from it."""
        query = (
            select(Tenant.id, Tenant.cell)
            .join(LookupHash, LookupHash.tenant_id == Tenant.id)
            .where(LookupHash.kind == kind, LookupHash.hash == hashed, Tenant.state.in_(LIVING))
            .order_by(Tenant.id)
        )
        with self.transaction() as session:
            return [Home(row.id, row.cell) for row in session.execute(query)]

    def wrapped_keys(self, tenant_id: UUID) -> list[tuple[int, bytes]]:
        query = select(TenantKey.version, TenantKey.wrapped).where(TenantKey.tenant_id == tenant_id)
        with self.transaction() as session:
            return [(row.version, row.wrapped) for row in session.execute(query)]

    def count_of_keys(self) -> int:
        """How many data keys are kept, of all tenants together."""
        with self.transaction() as session:
            return session.scalar(select(func.count()).select_from(TenantKey)) or 0

    def forget(self, tenant_id: UUID) -> None:
        """Read the tenant's home again next time, for example after it moved."""
        self._homes.pop(tenant_id, None)
