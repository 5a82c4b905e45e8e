"""A tenant is born as a spare, with its final id, schema, role and keys; sign-up only claims it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import func, select, update

from tenants.access.caller import SYSTEM, act_as
from tenants.catalog.models import LookupHash, State, Tenant, TenantKey
from tenants.catalog.regions import MAIN, Regions
from tenants.catalog.registry import Catalog, Home, role_of
from tenants.foundation.clock import now
from tenants.foundation.encryption import new_key_material
from tenants.foundation.errors import Conflict, Unavailable
from tenants.foundation.identifiers import new_id
from tenants.foundation.tables import Source
from tenants.identity.founding import Founder, Founding, found
from tenants.identity.signing_in.places import hashed_address
from tenants.isolation.door import inside
from tenants.isolation.files import remove_files_of
from tenants.isolation.keys import KeyName, KeyWrapper
from tenants.isolation.owner import OwnerError, as_owner, run_all
from tenants.isolation.roles import birth, death, grants, path, tables
from tenants.isolation.stepping import mark
from tenants.jobs.platform import ask_for_round
from tenants.provisioning.keeping import kept
from tenants.provisioning.models import SchemaRevision  # noqa: F401 - a table of every tenant

UNFINISHED_AFTER = timedelta(minutes=10)
#: The platform's round that keeps spares in stock.
SPARES = "nursery.stock"
Seed = Callable[[], None]
log = structlog.get_logger(__name__)
_seeds: list[Seed] = []


def seed(plant: Seed) -> Seed:
    """Register what a new tenant of this product begins with; it runs inside the tenant, as the system."""
    _seeds.append(plant)
    return plant


@dataclass
class Nursery:
    """Makes tenants. Only a process with the owner's URL of a cell can make spares in it; any can claim one.

    `head` is the revision that the models stand for.
    """

    catalog: Catalog
    wrapper: KeyWrapper
    head: str
    owner_urls: dict[str, str | None] = field(default_factory=dict)
    regions: Regions = field(default_factory=lambda: Regions({MAIN: None}))

    def make_spare(self, cell: str = MAIN) -> UUID:
        """A tenant that is nobody's yet. A half-made one is swept away by `sweep`."""
        tenant_id = new_id()
        with self.catalog.transaction() as session:
            session.add(Tenant(id=tenant_id, cell=cell, state=State.MAKING, revision=self.head))
        role = role_of(tenant_id)
        with as_owner(self.owner_urls.get(cell)) as connection:
            run_all(connection, [*birth(role), path(role), *tables(), *grants(role), *mark(self.head)])
        wrapped = self.wrapper.wrap(new_key_material(), KeyName(tenant_id, 1))
        with self.catalog.transaction() as session:
            session.add(TenantKey(tenant_id=tenant_id, version=1, wrapped=wrapped))
            session.execute(update(Tenant).where(Tenant.id == tenant_id).values(state=State.SPARE))
        return tenant_id

    def stock(self, wanted: int, cell: str = MAIN) -> int:
        """Make spares until there are `wanted`; how many were made."""
        with self.catalog.transaction() as session:
            there = session.scalar(
                select(func.count()).where(Tenant.state == State.SPARE, Tenant.cell == cell, Tenant.revision == self.head)
            )  # fmt: skip
        missing = max(0, wanted - (there or 0))
        for _ in range(missing):
            self.make_spare(cell)
        return missing

    def stock_cells(self, wanted: int) -> int:
        """Likewise in every cell. One that can't be reached holds up none of the others."""
        made = 0
        for cell, url in self.owner_urls.items():
            try:
                made += self.stock(wanted, cell) if url else 0
            except (OwnerError, Unavailable) as error:
                log.warning("cell_not_stocked", cell=cell, reason=str(error).partition("\n")[0])
        return made

    def open(
        self, slug: str, name: str, founder: Founder, cell: str | None = None, region: str | None = None
    ) -> tuple[Home, Founding]:
        """Claim a spare for a new customer and give it its first admin; of a region, it never leaves that.

        Raises Conflict when the slug is taken, Invalid for a region that there is none of, and Unavailable when no
        spare is ready and none can be made here.
        """
        home = self._claim(slug, name, cell or self.cell_for(region), region)
        with inside(home):
            act_as(SYSTEM, request_id="founding", source=Source.SYSTEM)
            founding = found(home, slug, name, founder)
            for plant in _seeds:
                plant()
        with self.catalog.transaction() as session:
            if founder.email:
                hashed = self.hash_of_email(founder.email)
                session.add(LookupHash(kind="email", hash=hashed, tenant_id=home.id))
            session.execute(update(Tenant).where(Tenant.id == home.id).values(state=State.ACTIVE))
            ask_for_round(session, SPARES)
        return home, founding

    @contextmanager
    def claimed(self, slug: str, name: str, region: str | None = None) -> Iterator[Home]:
        """Claim a spare that the block fills with a tenant that was elsewhere; it is ready when the block ends.

        Of a region, it never leaves that.

        A block that fails gives the slug back, and what it filled is swept away; while it lasts, nothing of it
        is. Raises as `open` does.
        """
        home = self._claim(slug, name, self.cell_for(region), region)
        try:
            with kept(lambda: self._note(home, claimed_at=now())):
                yield home
        except BaseException:
            self._note(home, slug=None, claimed_at=now() - UNFINISHED_AFTER)
            raise
        self._note(home, state=State.ACTIVE)

    def cell_for(self, region: str | None) -> str:
        """The cell for a new tenant: of those of its region, the one that has the fewest. Raises Invalid."""
        cells = self.regions.cells_of(region)
        if len(cells) == 1:
            return cells[0]
        query = select(Tenant.cell, func.count()).where(Tenant.slug.is_not(None)).group_by(Tenant.cell)
        with self.catalog.transaction() as session:
            taken = {row[0]: row[1] for row in session.execute(query)}
        return min(cells, key=lambda cell: taken.get(cell, 0))

    def note_email(self, home: Home, email: str) -> None:
        """Let sign-in find the tenant by this address."""
        with self.catalog.transaction() as session:
            session.merge(LookupHash(kind="email", hash=self.hash_of_email(email), tenant_id=home.id))

    def forget_email(self, home: Home, email: str) -> None:
        """Let sign-in no longer look for this address in the tenant."""
        with self.catalog.transaction() as session:
            gone = session.get(LookupHash, ("email", self.hash_of_email(email), home.id))
            if gone is not None:
                session.delete(gone)

    def _note(self, home: Home, **values: object) -> None:
        with self.catalog.transaction() as session:
            session.execute(update(Tenant).where(Tenant.id == home.id).values(values))

    def hash_of_email(self, email: str) -> bytes:
        return hashed_address(self.wrapper, email)

    def sweep(self) -> int:
        """Drop what a killed process left half made or half claimed; how many there were.

        In the cells whose owner this process may be: whoever may be another's sweeps there.
        """
        stale = now() - UNFINISHED_AFTER
        reached = Tenant.cell.in_([cell for cell, url in self.owner_urls.items() if url])
        with self.catalog.transaction() as session:
            making = (Tenant.state == State.MAKING) & (Tenant.created_at < stale)
            claimed = (Tenant.state == State.CLAIMED) & (Tenant.claimed_at < stale)
            left = session.execute(select(Tenant.id, Tenant.cell).where(reached, making | claimed)).all()
        for tenant_id, cell in left:
            remove_files_of(tenant_id)
            with as_owner(self.owner_urls.get(cell)) as connection:
                run_all(connection, death(role_of(tenant_id)))
            with self.catalog.transaction() as session:
                for model in (TenantKey, LookupHash):
                    for row in session.scalars(select(model).where(model.tenant_id == tenant_id)):
                        session.delete(row)
                session.flush()
                session.delete(session.get_one(Tenant, tenant_id))
        return len(left)

    def _claim(self, slug: str, name: str, cell: str, region: str | None = None) -> Home:
        self.regions.must_stay(region, cell)
        for _ in range(2):
            with self.catalog.transaction() as session:
                if session.scalar(select(Tenant.id).where(Tenant.slug == slug)):
                    raise Conflict(f"The name '{slug}' is taken. Choose another.", code="already_exists")
                spare = (
                    select(Tenant)
                    .where(Tenant.state == State.SPARE, Tenant.cell == cell, Tenant.revision == self.head)
                    .order_by(Tenant.id).limit(1).with_for_update(skip_locked=True)
                )  # fmt: skip
                if tenant := session.scalars(spare).one_or_none():
                    tenant.slug, tenant.name, tenant.region = slug, name, region
                    tenant.state, tenant.claimed_at = State.CLAIMED, now()
                    return Home(tenant.id, tenant.cell)
            if self.owner_urls.get(cell) is None:
                raise Unavailable("The next place is being prepared. Try again in a few seconds.")
            self.make_spare(cell)
        raise Unavailable("The next place is being prepared. Try again in a few seconds.")
