"""`freehold serve`: the web, without anything else."""

import os
from pathlib import Path

import click

from crm.cli import options
from crm.cli.ports import must_be_free


@click.command(short_help="The web, without anything else.")
@options.host
@options.port
@options.data_dir
def serve(host: str, port: int, data_dir: Path) -> None:
    """Serve the API and the start page; databases, workers and scheduler run elsewhere."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    from crm.app import create_app
    from tenants.foundation.settings import Settings

    # The web never holds the owner's login, not even where the file of settings has it.
    os.environ["FREEHOLD_OWNER_DATABASE_URL"] = ""
    os.environ["FREEHOLD_DATA_DIR"] = str(data_dir)
    settings = Settings.read(data_dir)
    must_be_free(host, port)
    # What would stop every worker is said once, here, as a sentence.
    create_app(settings)
    Granian(
        "wsgi:app",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=settings.web_workers,
        blocking_threads=settings.web_threads,
        backpressure=settings.web_threads * 16,
        websockets=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=30,
    ).serve()
