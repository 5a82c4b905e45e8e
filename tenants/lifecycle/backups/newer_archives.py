"""Archives that were written after the backup: beside the tenant that came back they would be a second copy of it."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select

from tenants.catalog.registry import Catalog, Home
from tenants.foundation.clock import now
from tenants.isolation.storage import Storage
from tenants.lifecycle.archives.bundles import FOLDER
from tenants.lifecycle.archives.models import Archive, Step

REASON = "It was archived after the backup was taken, and came back as of the backup."


def have_tidied(catalog: Catalog, storage: Storage, homes: Iterable[Home], states: dict[UUID, str]) -> int:
    """Have the scheduler remove, once all is open, the archives of tenants that are there as tables; how many there are.

    One that the catalog knows of is its own affair.
    """
    found = 0
    for home in homes:
        names = [name for name in storage.for_tenant(home.id).list() if name.startswith(FOLDER)]
        with catalog.transaction() as session:
            under_way = select(Archive.id).where(Archive.tenant_id == home.id, Archive.step != Step.RETURNED)
            if not names or session.scalar(under_way) is not None:
                continue
            session.add(_over(home, names[-1], states[home.id]))
        found += 1
    return found


def _over(home: Home, name: str, state: str) -> Archive:
    """An archive that all has come back from, but for its file."""
    archive_id, _, _ = name.removeprefix(FOLDER).rpartition("-")
    return Archive(
        id=UUID(archive_id),
        tenant_id=home.id,
        step=Step.TIDYING,
        state_before=state,
        reason=REASON,
        file=name,
        kept_at=now(),
        thaw_asked_at=now(),
    )
