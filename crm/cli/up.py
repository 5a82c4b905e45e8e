"""`freehold up`: everything at once, on this machine."""

import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import click

from crm.cli import options
from crm.cli.ports import must_be_free
from crm.cli.signals import Ending, until_stopped


@dataclass(frozen=True)
class Wishes:
    """What the command line asked for."""

    host: str
    port: int
    data_dir: Path
    demo: bool


@click.command(short_help="Everything at once, on this machine.")
@options.host
@options.port
@options.data_dir
@click.option(
    "--demo/--no-demo", default=True, show_default=True, help="Load two tenants with believable data."
)
def up(host: str, port: int, data_dir: Path, *, demo: bool) -> None:
    """Start database, Redis, web, workers and scheduler, and look after them until Ctrl-C.

    With DATABASE_URL or REDIS_URL set, those servers are used and none is started in their place.
    A DATABASE_URL on its own has to be an administrator's: Freehold's logins are made with it.
    """
    must_be_free(host, port)
    with until_stopped() as ending, ExitStack() as open_things:
        _run(Wishes(host, port, data_dir.absolute(), demo), ending, open_things)


def _run(wishes: Wishes, ending: Ending, open_things: ExitStack) -> None:
    from crm.cli.ground import embedded_servers, environment_without, leave_env, must_be_open, urls_of
    from crm.cli.migrate import migrate_all
    from crm.cli.programs import Programs, address, wait_until_ready
    from tenants.foundation.settings import Settings
    from tenants.foundation.supervision import Supervisor

    here = address(wishes.host, wishes.port)
    servers = embedded_servers(wishes.data_dir, os.environ)
    if servers is not None:
        open_things.enter_context(servers)
    found = urls_of(servers, wishes.data_dir, os.environ)
    if "FREEHOLD_PUBLIC_URL" not in os.environ:
        found["FREEHOLD_PUBLIC_URL"] = here
    leave_env(wishes.data_dir, found)
    settings = Settings.read(wishes.data_dir)
    migrate_all(settings, ending.check)
    must_be_open(settings)
    supervisor = Supervisor(click.echo)
    open_things.callback(supervisor.stop)
    programs = Programs(wishes.data_dir, environment_without(found, wishes.data_dir))
    web = programs.web(wishes.host, wishes.port)
    # The web first, alone: it is what somebody is waiting for.
    supervisor.start(web)
    wait_until_ready(here, web, ending.pause)
    for program in (programs.scheduler(), *programs.workers(settings.worker_count)):
        supervisor.start(program)
    if wishes.demo:
        programs.load_demo(ending.pause)
    if settings.smtp_url is None and settings.environment == "development":
        click.echo(
            f"Mails are written to {settings.data_dir.absolute() / 'mail'}: FREEHOLD_SMTP_URL is not set."
        )
    click.echo(f"Freehold is ready at {settings.public_url}; Ctrl-C ends it.")
    while True:
        ending.pause()
        for name in servers.revive() if servers else ():
            click.echo(f"{name} had ended and was started again.")
        supervisor.tend()
