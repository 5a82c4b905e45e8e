"""`freehold serve`: the web, without anything else."""

import logging
from pathlib import Path
from typing import Any

import click

from crm.cli import options
from crm.cli.ports import must_be_free
from crm.cli.programs import address
from crm.cli.reading import settings_without_owner
from tenants.foundation.settings import Settings

#: Of one web process. One that waits for bytes takes some 50 KB, and ends when it had nothing to do for half a minute.
THREADS = 1024


@click.command(short_help="The web, without anything else.")
@options.host
@options.port
@options.data_dir
def serve(host: str, port: int, data_dir: Path) -> None:
    """Serve the API and the start page; databases, workers and scheduler run elsewhere."""
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
    _web(settings, host, port).serve()


def _web(settings: Settings, host: str, port: int) -> Any:
    """Granian, with a thread for each request: how many work at a time is for the application to say."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    logging.getLogger("_granian").addFilter(lambda said: "Python threads" not in said.getMessage())
    return Granian(
        "wsgi:app",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=settings.web_workers,
        blocking_threads=THREADS,
        backpressure=THREADS,
        websockets=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=30,
    )
