"""What every process knows of backups from its start: where the ledger is, and the keys that are kept apart."""

from tenants.audit.ledger import Ledger, use_ledger
from tenants.audit.noting import note_endings
from tenants.catalog.registry import Catalog
from tenants.foundation.settings import Settings
from tenants.isolation.storage import place_at
from tenants.isolation.wrapping import Wrapping
from tenants.lifecycle.backups.keyring import Keyring, use_keyring
from tenants.lifecycle.backups.mirror import Mirror

_mirror: list[Mirror] = []


def open_backups(settings: Settings, catalog: Catalog, wrapping: Wrapping) -> Keyring:
    """Open ledger and keyring for this process, and have endings noted. Nothing is written yet."""
    use_ledger(Ledger(place_at(settings.backups), wrapping.hashed, catalog.alone))
    note_endings()
    made = keyring_of(settings, catalog, wrapping)
    use_keyring(made)
    _mirror[:] = [Mirror(place_at(settings.backups), made.tenants_keys())]
    return made


def mirror() -> Mirror:
    """The copies of tenants' files that this process knows."""
    return _mirror[0]


def keyring_of(settings: Settings, catalog: Catalog, wrapping: Wrapping) -> Keyring:
    """The keys that no backup holds."""
    return Keyring(place_at(settings.keyring), catalog, wrapping, settings.backup_days)
