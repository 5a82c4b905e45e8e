"""One attempt to take an archive through its steps."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from tenants.catalog.models import Tenant
from tenants.catalog.registry import Catalog, Home
from tenants.isolation.keys import KeyWrapper
from tenants.lifecycle.archives.models import Archive
from tenants.lifecycle.attempts import Attempt as AttemptAt
from tenants.lifecycle.attempts import Told, leased
from tenants.lifecycle.changing import Owners

LEASE = timedelta(minutes=2)


@dataclass(frozen=True)
class Works:
    """What archives are made with. `told` hears of each phase and how many rows are done."""

    catalog: Catalog
    owners: Owners
    wrapper: KeyWrapper
    head: str
    told: Told = field(default=lambda _phase, _rows: None)


class Attempt(AttemptAt[Archive]):
    """One attempt at one archive. `archive` is what its row said at the latest step."""

    def __init__(self, works: Works, archive: Archive) -> None:
        super().__init__(works.catalog, archive, LEASE, works.told)
        self.works = works

    @property
    def archive(self) -> Archive:
        return self.row

    @property
    def home(self) -> Home:
        return Home(self.archive.tenant_id, self._cell)

    @property
    def owner_url(self) -> str | None:
        return self.works.owners.get(self._cell)

    @property
    def _cell(self) -> str:
        with self.works.catalog.transaction() as session:
            return session.get_one(Tenant, self.archive.tenant_id).cell


def take(works: Works, archive_id: UUID) -> Attempt:
    """Lease an archive. Raises Conflict when somebody else is working on it."""
    return Attempt(works, leased(works.catalog, Archive, archive_id, LEASE))
