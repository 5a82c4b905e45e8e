"""`freehold worker`: one process that runs jobs."""

from pathlib import Path

import click

from crm.cli import options
from crm.cli.reading import settings_without_owner


@click.command(short_help="One process that runs jobs.")
@options.data_dir
def worker(data_dir: Path) -> None:
    """Run jobs until told to stop; start as many as there should be.

    It ends by itself now and then, to be started afresh by whoever supervises it.
    """
    from crm.worker import main

    main(settings_without_owner(data_dir))
