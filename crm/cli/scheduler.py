"""`freehold scheduler`: gives tenants their turns and makes the platform's rounds."""

from pathlib import Path

import click

from crm.cli import options


@click.command(short_help="Hands out jobs and makes the platform's rounds.")
@options.data_dir
def scheduler(data_dir: Path) -> None:
    """Hand out what is due to the workers, find what was left lying, and make the platform's rounds.

    Any number may run. Beside `migrate` it is the only one that holds the owner's login.
    """
    from crm.schedule import main
    from tenants.foundation.settings import Settings

    main(Settings.read(data_dir))
