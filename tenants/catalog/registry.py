"""Which tenants there are and where they live, read over the catalog's own connection."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from time import monotonic
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, create_engine, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from tenants.catalog.models import (
    BroughtKey,
    InstallationKey,
    LookupHash,
    Restoration,
    State,
    Tenant,
    TenantKey,
)
from tenants.catalog.states import PERMITS, Permits, Work
from tenants.foundation.clock import now
from tenants.foundation.errors import Unavailable

HOME_KEPT_SECONDS = 15
#: The states in which a tenant has a schema that somebody's data is in.
LIVING = (
    State.CLAIMED,
    State.ACTIVE,
    State.FENCED,
    State.SUSPENDED,
    State.FROZEN,
    State.ARCHIVING,
    State.MOVING,
    State.CLOSING,
)
#: Those in which jobs are handed out.
WORKING = tuple(state for state, permits in PERMITS.items() if permits.work is not Work.NONE)


@dataclass(frozen=True, slots=True)
class Home:
    """Where a tenant lives. Its schema and its role have one name, so that they can't disagree.

    A fenced one failed to migrate: this program may not know its tables, so nobody works there until it is mended.
    `state` is what the catalog said a while ago: good for refusing early; what counts is said in the tenant itself.
    """

    id: UUID
    cell: str
    state: State = field(default=State.ACTIVE, compare=False)

    @property
    def fenced(self) -> bool:
        return self.state is State.FENCED

    @property
    def permits(self) -> Permits:
        return PERMITS[self.state]

    @property
    def role(self) -> str:
        return role_of(self.id)


@lru_cache(10_000)
def role_of(tenant_id: UUID) -> str:
    return f"t_{tenant_id.hex}"


#: What a home is made of.
PLACE = (Tenant.id, Tenant.cell, Tenant.state)


def home_of(row: Any) -> Home:
    """The home that a row of PLACE describes."""
    return Home(row.id, row.cell, State(row.state))


class Catalog:
    """The catalog's connection; each block is one transaction."""

    def __init__(self, url: str, *, prepare: bool = True) -> None:
        """`prepare` as for `Cells`."""
        options = {} if prepare else {"prepare_threshold": None}
        self.engine: Engine = create_engine(
            url, pool_size=4, max_overflow=4, pool_pre_ping=True, connect_args=options
        )
        self._homes: dict[UUID, tuple[float, Home]] = {}
        self._regions: dict[UUID, str | None] = {}

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One transaction. The rows that it loaded can be read after it, as they were."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def alone(self, what: str) -> Iterator[Session]:
        """A transaction in which nobody else, in any process, is in a block of this name."""
        with self.transaction() as session:
            session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"freehold {what}", 0))))
            yield session

    def is_being_restored(self) -> bool:
        """Whether a backup is being brought in, or was and is not fit to be served yet."""
        query = select(Restoration.id).where(Restoration.opened_at.is_(None)).limit(1)
        with self.transaction() as session:
            return session.scalar(query) is not None

    def must_be_open(self) -> None:
        """Raises Unavailable while a backup is being brought in."""
        if self.is_being_restored():
            raise Unavailable(
                "This installation is being restored from a backup, and what was erased since is not replayed yet."
                " It serves nobody before `freehold backup restore` has ended; run that again if it was stopped."
            )

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
        home = Home(tenant_id, row.cell, State(row.state))
        self._homes[tenant_id] = (expires, home)
        return home

    def homes(self, *states: State) -> list[Home]:
        """Every tenant in one of these states (active ones, when none is named), oldest first."""
        wanted = states or (State.ACTIVE,)
        query = select(*PLACE).where(Tenant.state.in_(wanted)).order_by(Tenant.id)
        with self.transaction() as session:
            return [home_of(row) for row in session.execute(query)]

    def by_slug(self, slug: str) -> Home | None:
        query = select(*PLACE).where(Tenant.slug == slug, Tenant.state.in_(LIVING))
        with self.transaction() as session:
            row = session.execute(query).first()
        return home_of(row) if row else None

    def region_of(self, tenant_id: UUID) -> str | None:
        """The region that a tenant never leaves, if there is one. It is said when the tenant is claimed, for good."""
        if tenant_id not in self._regions:
            query = select(Tenant.region, Tenant.claimed_at).where(Tenant.id == tenant_id)
            with self.transaction() as session:
                row = session.execute(query).first()
            if row is None or row.claimed_at is None:
                return None
            self._regions[tenant_id] = row.region
        return self._regions[tenant_id]

    def state_of(self, tenant_id: UUID) -> State | None:
        """The state of a tenant at this moment, wherever it is; None when there is no such tenant."""
        with self.transaction() as session:
            found = session.scalar(select(Tenant.state).where(Tenant.id == tenant_id))
        return None if found is None else State(found)

    def by_hash(self, kind: str, hashed: bytes) -> list[Home]:
        """The tenants that a keyed hash leads to; nothing else is learnt from it."""
        query = (
            select(*PLACE)
            .join(LookupHash, LookupHash.tenant_id == Tenant.id)
            .where(LookupHash.kind == kind, LookupHash.hash == hashed, Tenant.state.in_(LIVING))
            .order_by(Tenant.id)
        )
        with self.transaction() as session:
            return [home_of(row) for row in session.execute(query)]

    def wrapped_keys(self, tenant_id: UUID) -> list[tuple[int, bytes]]:
        """Every version that was not destroyed."""
        query = select(TenantKey.version, TenantKey.wrapped).where(TenantKey.tenant_id == tenant_id)
        with self.transaction() as session:
            return [(row.version, row.wrapped) for row in session.execute(query) if row.wrapped is not None]

    def count_of_keys(self) -> int:
        """How many data keys are kept, of all tenants together."""
        with self.transaction() as session:
            return session.scalar(select(func.count()).where(TenantKey.wrapped.is_not(None))) or 0

    def installation_key(self, name: str) -> bytes | None:
        """A key of the installation itself, wrapped."""
        with self.transaction() as session:
            return session.scalar(select(InstallationKey.wrapped).where(InstallationKey.name == name))

    def keep_installation_key(self, name: str, wrapped: bytes, public_key: bytes | None = None) -> None:
        """Keep a key of the installation, unless there is one already."""
        row = insert(InstallationKey).values(
            name=name, wrapped=wrapped, public_key=public_key, created_at=now()
        )
        with self.transaction() as session:
            session.execute(row.on_conflict_do_nothing())

    def brought_key(self, tenant_id: UUID) -> tuple[str, str] | None:
        """ARN and role of the key that a tenant brought."""
        query = select(BroughtKey.key_arn, BroughtKey.role_arn).where(BroughtKey.tenant_id == tenant_id)
        with self.transaction() as session:
            row = session.execute(query).first()
        return (row.key_arn, row.role_arn) if row else None

    def forget(self, tenant_id: UUID) -> None:
        """Read the tenant's home again next time, for example after it moved."""
        self._homes.pop(tenant_id, None)
