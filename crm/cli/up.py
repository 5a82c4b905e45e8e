"""`freehold up`: everything at once, on this machine."""

import os
import time
from contextlib import ExitStack
from pathlib import Path

import click

from crm.cli import options
from crm.cli.ports import must_be_free
from crm.cli.signals import until_stopped

TURN = 0.25


@click.command(short_help="Everything at once, on this machine.")
@options.host
@options.port
@options.data_dir
def up(host: str, port: int, data_dir: Path) -> None:
    """Start database, Redis, web, workers and scheduler, and look after them until Ctrl-C.

    With DATABASE_URL or REDIS_URL set, those servers are used and none is started in their place.
    A DATABASE_URL on its own has to be an administrator's: Freehold's logins are made with it.
    """
    must_be_free(host, port)
    with until_stopped(), ExitStack() as open_things:
        _run(host, port, data_dir.absolute(), open_things)


def _run(host: str, port: int, data_dir: Path, open_things: ExitStack) -> None:
    from crm.cli.ground import embedded_servers, environment_without, leave_env, urls_of
    from crm.cli.migrate import migrate_all
    from crm.cli.programs import address, programs, wait_until_ready
    from tenants.foundation.settings import Settings
    from tenants.foundation.supervision import Supervisor

    servers = embedded_servers(data_dir, os.environ)
    if servers is not None:
        open_things.enter_context(servers)
    found = urls_of(servers, data_dir, os.environ)
    if "FREEHOLD_PUBLIC_URL" not in os.environ:
        found["FREEHOLD_PUBLIC_URL"] = address(host, port)
    leave_env(data_dir, found)
    settings = Settings.read(data_dir)
    migrate_all(settings)
    supervisor = Supervisor(_tell)
    open_things.callback(supervisor.stop)
    web, *others = programs(host, port, data_dir, environment_without(found, data_dir))
    for program in (web, *others):
        supervisor.start(program)
    wait_until_ready(address(host, port), web)
    _tell(f"Freehold is ready at {settings.public_url}; Ctrl-C ends it.")
    while True:
        time.sleep(TURN)
        for name in servers.revive() if servers else ():
            _tell(f"{name} had ended and was started again.")
        supervisor.tend()


def _tell(news: str) -> None:
    click.echo(news)
