"""Backups of tenants that chose a region lie in that region's place: their rows, and copies of their files."""

from collections.abc import Iterator, Mapping
from uuid import UUID

from tenants.isolation.storage import Place
from tenants.lifecycle.backups.keyring import Keyring
from tenants.lifecycle.backups.store import PART, Page, Store, no_place


class RegionalStore(Store):
    """The main place, with one more for each region of `regional`; `home` is the region that the main one is in.

    Pages, indexes and catalogs lie in the main one, and so does whatever is of no region. Nothing of a region that has
    no place here is written or read: StorageFailed.
    """

    def __init__(
        self, place: Place, keyring: Keyring, regional: Mapping[str, Place], home: str | None = None
    ) -> None:
        super().__init__(place, keyring)
        self._regional = {region: Store(its, keyring) for region, its in regional.items()}
        self._home = home

    def place_of(self, region: str | None, /) -> str | None:
        if region in self._regional:
            return region
        if region not in (None, self._home):
            raise no_place(str(region))
        return None

    def within(self, place: str | None, /) -> Store:
        if place is None:
            return self
        if place not in self._regional:
            raise no_place(place)
        return self._regional[place]

    def places(self) -> Iterator[tuple[str | None, Store]]:
        yield None, self
        yield from self._regional.items()

    def conclude(self, page: Page) -> None:
        """Each region says it first: its part is not taken for a killed attempt's when the main place is not there."""
        for each in self._regional.values():
            if page.id in each.folders():
                each.say(page, PART)
        super().conclude(page)

    def parts_alone(self) -> list[Page]:
        listed = super().folders()
        found = {each.id: each for its in self._regional.values() for each in its.pages(PART)}
        return [each for each in found.values() if each.id not in listed]

    def remove(self, backup: str) -> None:
        """The main place first, where its page is."""
        super().remove(backup)
        for each in self._regional.values():
            each.remove(backup)

    def folders(self) -> set[str]:
        """Also what somebody who was killed wrote in a region only."""
        return super().folders().union(*(each.folders() for each in self._regional.values()))

    def remove_files_of(self, tenant_id: UUID, region: str | None) -> None:
        """Remove the copies of files of a tenant that is no more; in the main place are those of older backups."""
        self.files.remove_tenant(tenant_id)
        self.within(self.place_of(region)).files.remove_tenant(tenant_id)
