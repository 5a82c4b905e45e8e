"""Every place of an installation by name: of files and backups, those of each region, and of the keyring."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import structlog

from tenants.catalog.registry import Catalog
from tenants.foundation.settings import Settings
from tenants.isolation.marked_places import MarkedPlace
from tenants.isolation.marks import AnothersPlace, Look, Mark, NotOurPlace, Whose
from tenants.isolation.storage import Place, StorageFailed, place_at

log = structlog.get_logger(__name__)
STORAGE, BACKUPS, KEYRING = "storage", "backups", "keyring"
#: For how long a mark in a bucket is believed: nothing is unmounted there, and to look costs a request.
BELIEVED_SECONDS = 10


@dataclass(frozen=True)
class Named:
    """A place as the settings name it; the KMS key is for those of files that are buckets."""

    name: str
    setting: str
    url: str
    kms_key: str | None = None

    def place(self) -> Place:
        """It, without a look at any mark."""
        return place_at(self.url, self.kms_key if self.url.startswith("s3:") else None)


def of_region(name: str, region: str) -> str:
    """The name of a region's own place of a kind: `backups-us`."""
    return f"{name}-{region}"


def named_places(settings: Settings) -> Iterator[Named]:
    """Every place that the settings name."""
    kms_key = settings.storage_kms_key
    yield Named(STORAGE, "FREEHOLD_STORAGE", settings.storage, kms_key)
    for region, url in settings.region_storage.items():
        setting = f"FREEHOLD_REGION_STORAGE of {region!r}"
        yield Named(of_region(STORAGE, region), setting, url, kms_key)
    yield Named(BACKUPS, "FREEHOLD_BACKUPS", settings.backups)
    for region, url in settings.region_backups.items():
        yield Named(of_region(BACKUPS, region), f"FREEHOLD_REGION_BACKUPS of {region!r}", url)
    yield Named(KEYRING, "FREEHOLD_KEYRING", settings.keyring)


def places_without_marks(settings: Settings) -> dict[str, Place]:
    """For reading alone, where there is no catalog to ask."""
    return {each.name: each.place() for each in named_places(settings)}


class Places(Mapping[str, MarkedPlace]):
    """The places of an installation, each under its mark."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        self._places = {
            each.name: MarkedPlace(
                each.name,
                f"{each.url} ({each.setting})",
                each.place(),
                catalog,
                BELIEVED_SECONDS if each.url.startswith("s3:") else 0,
            )
            for each in named_places(settings)
        }

    def __getitem__(self, name: str) -> MarkedPlace:
        return self._places[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def must_not_be_anothers(self) -> None:
        """Raises AnothersPlace that names each that is. What can't be read is no reason to serve nobody: it is logged."""
        looks = {}
        for place in self.values():
            try:
                looks[place] = place.look()
            except StorageFailed as error:
                log.warning("place_not_read", place=place.name, reason=str(error))
        if taken := _of_others(looks):
            raise AnothersPlace(
                f"{_said(taken)}: of another installation. Nothing is written there or removed. If that one is gone for"
                " good, bring its backup in (`freehold backup restore --adopt`), or begin without what it had there, as"
                f" with copies: `freehold place adopt {' '.join(place.name for place in taken)}`."
            )

    def must_be_free(self) -> None:
        """Likewise, for whoever is about to take them. Raises NotOurPlace when one lost its mark; StorageFailed."""
        looks = {place: place.look() for place in self.values()}
        if taken := _of_others(looks):
            raise AnothersPlace(
                f"These are places of an installation that may be alive: {_said(taken)}. To try a backup out: `freehold"
                " backup drill`. If that installation is gone for good, or these are copies of its places, say --adopt:"
                " they are this one's then, and that one writes there no more."
            )
        if lost := [place.named for place, look in looks.items() if look.whose is Whose.LOST]:
            raise NotOurPlace(
                f"{'; '.join(lost)}: the mark of this installation was there and is not. Is it mounted? If what it had is"
                " lost, say --adopt."
            )

    def adopt(self) -> None:
        """Make all of them ours that are not. Raises StorageFailed; done again, it goes on."""
        for place in self.values():
            if not place.is_settled():
                place.adopt()

    def say_seen(self) -> None:
        """Say in each that we are at work there. Raises the first StorageFailed once all were tried."""
        failed = []
        for place in self.values():
            try:
                place.say_seen()
            except StorageFailed as error:
                log.warning("place_not_ours", place=place.name, reason=str(error))
                failed.append(error)
        if failed:
            raise failed[0]


def _of_others(looks: Mapping[MarkedPlace, Look]) -> dict[MarkedPlace, Look]:
    return {place: look for place, look in looks.items() if look.whose is Whose.ANOTHERS}


def _said(found: Mapping[MarkedPlace, Look]) -> str:
    return "; ".join(f"{place.named}{_since(look.mark)}" for place, look in found.items())


def _since(mark: Mark | None) -> str:
    return f", last at work there at {mark.seen_at:%Y-%m-%d %H:%M} UTC" if mark else ""
