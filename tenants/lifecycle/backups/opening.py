"""What every process knows of backups from its start: where the ledger is, and the keys that are kept apart."""

from tenants.audit.ledger import Ledger, use_ledger
from tenants.audit.noting import note_endings
from tenants.catalog.registry import Catalog
from tenants.foundation.settings import Settings
from tenants.isolation.storage import place_at
from tenants.isolation.wrapping import Wrapping
from tenants.lifecycle.backups.keyring import Keyring, use_keyring
from tenants.lifecycle.backups.regional import RegionalStore

_backups: list[RegionalStore] = []


def open_backups(settings: Settings, catalog: Catalog, wrapping: Wrapping) -> Keyring:
    """Open ledger and keyring for this process, and have endings noted. Nothing is written yet."""
    use_ledger(Ledger(place_at(settings.backups), wrapping.hashed, catalog.alone))
    note_endings()
    made = keyring_of(settings, catalog, wrapping)
    use_keyring(made)
    _backups[:] = [backups_at(settings, made)]
    return made


def backups() -> RegionalStore:
    """The backups that this process knows."""
    return _backups[0]


def backups_at(settings: Settings, keyring: Keyring) -> RegionalStore:
    """The backups where the settings say that they are, those of each region apart."""
    regional = {region: place_at(url) for region, url in settings.region_backups.items()}
    return RegionalStore(place_at(settings.backups), keyring, regional, settings.region)


def keyring_of(settings: Settings, catalog: Catalog, wrapping: Wrapping) -> Keyring:
    """The keys that no backup holds."""
    return Keyring(place_at(settings.keyring), catalog, wrapping, settings.backup_days)
