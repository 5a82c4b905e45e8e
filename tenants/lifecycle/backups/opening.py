"""What every process knows of backups from its start: where the ledger is, and the keys that are kept apart."""

from collections.abc import Mapping

from tenants.audit.ledger import Ledger, use_ledger
from tenants.audit.noting import note_endings
from tenants.catalog.registry import Catalog
from tenants.foundation.settings import Settings
from tenants.isolation.places import BACKUPS, KEYRING, Places, of_region, places_without_marks
from tenants.isolation.storage import Place
from tenants.isolation.wrapping import Wrapping
from tenants.lifecycle.backups.keyring import Keyring, use_keyring
from tenants.lifecycle.backups.regional import RegionalStore

_backups: list[RegionalStore] = []


def open_backups(settings: Settings, catalog: Catalog, wrapping: Wrapping) -> Keyring:
    """Open ledger and keyring for this process, and have endings noted. Nothing is written yet."""
    places = Places(settings, catalog)
    use_ledger(Ledger(places[BACKUPS], wrapping.hashed, catalog.alone))
    note_endings()
    made = keyring_in(places, settings, catalog, wrapping)
    use_keyring(made)
    _backups[:] = [backups_in(places, settings, made)]
    return made


def backups() -> RegionalStore:
    """The backups that this process knows."""
    return _backups[0]


def backups_in(places: Mapping[str, Place], settings: Settings, keyring: Keyring) -> RegionalStore:
    """The backups in the places that the settings name, those of each region apart."""
    regional = {region: places[of_region(BACKUPS, region)] for region in settings.region_backups}
    return RegionalStore(places[BACKUPS], keyring, regional, settings.region)


def keyring_in(
    places: Mapping[str, Place], settings: Settings, catalog: Catalog, wrapping: Wrapping
) -> Keyring:
    """The keys that no backup holds, in the place that the settings name."""
    return Keyring(places[KEYRING], catalog, wrapping, settings.backup_days)


def backups_to_read(settings: Settings, catalog: Catalog, wrapping: Wrapping) -> RegionalStore:
    """The backups for when there may be no database: they are read, and no mark is looked at."""
    places = places_without_marks(settings)
    return backups_in(places, settings, keyring_in(places, settings, catalog, wrapping))
