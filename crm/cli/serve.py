"""`freehold serve`: the web, without anything else."""

from pathlib import Path

import click

from crm.cli import options
from crm.cli.ports import must_be_free
from crm.cli.programs import address
from crm.cli.reading import settings_without_owner


@click.command(short_help="The web, without anything else.")
@options.host
@options.port
@options.data_dir
def serve(host: str, port: int, data_dir: Path) -> None:
    """Serve the API and the start page; databases, workers and scheduler run elsewhere."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    import crm.app  # the processes that serve are forks of this one: what it has loaded, they have
    from crm.cli.doctor import key_of_keys, logins
    from crm.cli.ground import must_be_open

    settings = settings_without_owner(data_dir, found_at=address(host, port))
    must_be_free(host, port)
    # What would stop every process is said once, here, as a sentence. The application is theirs to make.
    crm.app.check_declarations()
    logins(settings)
    key_of_keys(settings)
    must_be_open(settings)
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
