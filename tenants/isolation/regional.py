"""Files of tenants that chose a region lie in that region's storage, and nowhere else."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from uuid import UUID

from tenants.isolation.storage import Lasting, Storage, StorageFailed, TenantStorage


class RegionalStorage(Storage):
    """A storage for each region; `other` is for whoever is of no region, and for those of `home`, where it is.

    `region_of` says a tenant's region, which never changes. Files of a region that has no storage here are neither
    written nor read: StorageFailed.
    """

    def __init__(
        self,
        other: Storage,
        regional: Mapping[str, Storage],
        region_of: Callable[[UUID], str | None],
        home: str | None = None,
    ) -> None:
        self._other, self._regional, self._region_of = other, regional, region_of
        self._home = home

    def for_tenant(self, tenant_id: UUID) -> TenantStorage:
        return self._of(tenant_id).for_tenant(tenant_id)

    def lasting_of(self, tenant_id: UUID, /) -> Lasting:
        return self._of(tenant_id).lasting_of(tenant_id)

    def sweep_unfinished(self, older_than: timedelta) -> int:
        """One that is away keeps no other from being swept. Raises the first StorageFailed once all were tried."""
        swept, failed = 0, []
        for each in (self._other, *self._regional.values()):
            try:
                swept += each.sweep_unfinished(older_than)
            except StorageFailed as error:
                failed.append(error)
        if failed:
            raise failed[0]
        return swept

    def _of(self, tenant_id: UUID) -> Storage:
        region = self._region_of(tenant_id)
        if region is not None and region in self._regional:
            return self._regional[region]
        if region in (None, self._home):
            return self._other
        raise StorageFailed(f"There is no storage in {region!r}: name one in FREEHOLD_REGION_STORAGE.")
