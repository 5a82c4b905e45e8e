"""Puts another installation's key of keys into the place of ours, as it happens when somebody mixes two up."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tenants.catalog.registry import Catalog
from tenants.foundation.settings import Settings
from tenants.isolation.key_file import LocalKeyFile
from tenants.isolation.keys import KeyRing
from tenants.isolation.sealing import keys, use_keys
from tenants.isolation.wrapping import LOOK_UPS, Wrapping
from tenants.lifecycle.keys.rewrapping import store_look_ups


@contextmanager
def under_the_key_in(file: Path, catalog: Catalog, settings: Settings) -> Iterator[None]:
    """Meanwhile keys are opened anew with what is in this file; it is made if it is missing."""
    store_look_ups(catalog, Wrapping(LocalKeyFile(settings.key_file)))
    LocalKeyFile.made_if_missing(file)
    wrapping = Wrapping(LocalKeyFile(file), stored=lambda: catalog.installation_key(LOOK_UPS))
    before = keys()
    use_keys(KeyRing(wrapping, catalog.wrapped_keys))
    try:
        yield
    finally:
        use_keys(before)
