"""The versions of a tenant's data key, as the catalog keeps them: made, replaced, destroyed."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import func, select, update

from tenants.catalog.models import TenantKey
from tenants.catalog.registry import Catalog
from tenants.foundation.clock import now
from tenants.foundation.encryption import new_key_material
from tenants.isolation.keys import KeyName
from tenants.isolation.sealing import keys
from tenants.isolation.wrapping import Wrapping
from tenants.lifecycle.backups.keyring import keyring


class VersionState(StrEnum):
    """`current` seals, `replaced` opens what it sealed until that is sealed anew, `destroyed` is gone."""

    CURRENT = "current"
    REPLACED = "replaced"
    DESTROYED = "destroyed"


@dataclass(frozen=True)
class KeyVersion:
    """One version, and since when it is in its state."""

    version: int
    created_at: datetime
    replaced_at: datetime | None
    destroyed_at: datetime | None
    newest: bool

    @property
    def state(self) -> VersionState:
        if self.destroyed_at:
            return VersionState.DESTROYED
        return VersionState.CURRENT if self.newest else VersionState.REPLACED


class KeyVersions:
    """Every tenant's versions, and who wraps new ones."""

    def __init__(self, catalog: Catalog, wrapper: Wrapping) -> None:
        self.catalog, self.wrapper = catalog, wrapper

    def of(self, tenant_id: UUID) -> list[KeyVersion]:
        """All versions that ever were, oldest first."""
        query = select(TenantKey).where(TenantKey.tenant_id == tenant_id).order_by(TenantKey.version)
        with self.catalog.transaction() as session:
            rows = session.scalars(query).all()
            return [
                KeyVersion(row.version, row.created_at, row.replaced_at, row.destroyed_at, row is rows[-1])
                for row in rows
            ]

    def living(self, tenant_id: UUID) -> list[int]:
        """The numbers of the versions that were not destroyed, oldest first."""
        return [each.version for each in self.of(tenant_id) if not each.destroyed_at]

    def add(self, tenant_id: UUID) -> int:
        """Make a newer version, wrapped and kept before anybody seals with it; its number."""
        newest = select(func.max(TenantKey.version)).where(TenantKey.tenant_id == tenant_id)
        with self.catalog.transaction() as session:
            version = (session.scalar(newest) or 0) + 1
        wrapped = self.wrapper.wrap(new_key_material(), KeyName(tenant_id, version))
        with self.catalog.transaction() as session:
            session.add(TenantKey(tenant_id=tenant_id, version=version, wrapped=wrapped))
        return version

    def note_replaced(self, tenant_id: UUID, by: int) -> None:
        """Versions older than this one seal nothing any more."""
        older = (TenantKey.tenant_id == tenant_id, TenantKey.version < by, TenantKey.replaced_at.is_(None))
        with self.catalog.transaction() as session:
            session.execute(update(TenantKey).where(*older).values(replaced_at=now()))

    def destroy(self, tenant_id: UUID, older_than: int | None = None) -> None:
        """Destroy versions for good, all of them or those older than one.

        Their copies in the keyring go too, so that no backup opens any more either. Raises StorageFailed; run it again.
        """
        living = select(TenantKey).where(TenantKey.tenant_id == tenant_id, TenantKey.wrapped.is_not(None))
        if older_than is not None:
            living = living.where(TenantKey.version < older_than)
        with self.catalog.transaction() as session:
            for row in session.scalars(living.order_by(TenantKey.version).with_for_update()):
                row.wrapped, row.destroyed_at = None, now()
        keys().forget(tenant_id)
        # All that were ever destroyed, because somebody may have been killed between the catalog and here.
        keyring().forget(tenant_id, [each.version for each in self.of(tenant_id) if each.destroyed_at])


_versions: list[KeyVersions] = []


def use_key_versions(versions: KeyVersions) -> None:
    """Say once, at start-up, where this process finds the versions of tenants' keys."""
    _versions[:] = [versions]


def key_versions() -> KeyVersions:
    """The versions that this process works with."""
    return _versions[0]
