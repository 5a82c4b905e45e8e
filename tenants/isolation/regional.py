"""Files of tenants that chose a region lie in that region's storage, and nowhere else."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from uuid import UUID

from tenants.isolation.storage import Storage, TenantStorage, storage_from


class RegionalStorage(Storage):
    """A storage for each region; `other` is for whoever is of no region, or of one that has none of its own.

    `region_of` says a tenant's region, which never changes.
    """

    def __init__(
        self, other: Storage, regional: Mapping[str, Storage], region_of: Callable[[UUID], str | None]
    ) -> None:
        self._other, self._regional, self._region_of = other, regional, region_of

    def for_tenant(self, tenant_id: UUID) -> TenantStorage:
        region = self._region_of(tenant_id)
        return self._regional.get(region or "", self._other).for_tenant(tenant_id)

    def sweep_unfinished(self, older_than: timedelta) -> int:
        return sum(each.sweep_unfinished(older_than) for each in (self._other, *self._regional.values()))


def regional_storage(
    url: str, urls: Mapping[str, str], kms_key: str | None, region_of: Callable[[UUID], str | None]
) -> Storage:
    """The storage at `url`, with one for each region of `urls`. Raises ValueError as `storage_from` does."""
    other = storage_from(url, kms_key)
    regional = {
        region: storage_from(its, kms_key if its.startswith("s3:") else None) for region, its in urls.items()
    }
    return RegionalStorage(other, regional, region_of) if regional else other
