"""`freehold keys …`: the key that wraps all tenants' keys."""

from pathlib import Path

import click

from crm.cli import options
from crm.cli.opening import catalog_of
from crm.cli.progress import shown_progress


@click.group(short_help="The key that wraps all tenants' keys.")
def keys() -> None:
    """The key that wraps all tenants' keys."""


@keys.command("rewrap", short_help="Wrap every key with today's key of keys.")
@options.data_dir
@options.as_json
def rewrap(data_dir: Path, *, as_json: bool) -> None:
    """Wrap every key of catalog and keyring with FREEHOLD_KEY_WRAPPER; FREEHOLD_FORMER_KEY_WRAPPER opens it if need be.

    The program may run meanwhile, with both set. Keys that tenants brought stay as they are. Run it again after a
    failure; then the former one can go.
    """
    from crm.app import wrapping_of
    from tenants.foundation.settings import Settings
    from tenants.isolation.places import Places
    from tenants.lifecycle.backups.opening import keyring_in
    from tenants.lifecycle.keys.rewrapping import prepare_key, rewrap_all

    settings = Settings.read(data_dir)
    with catalog_of(settings) as catalog:
        prepare_key(settings.key_wrapper, catalog, new=settings.former_key_wrapper is not None)
        with shown_progress() as tell:
            wrapping = wrapping_of(settings, catalog)
            done = rewrap_all(catalog, wrapping, lambda at, of: tell("Keys", at, of))
        keyring_in(Places(settings, catalog), settings, catalog, wrapping).rewrap()
    options.answer({"wrapped": done.wrapped, "already": done.already}, as_json=as_json)
