"""The command line: `freehold COMMAND`. A command is loaded when it is asked for."""

from importlib import import_module
from typing import Any

import click

from crm.cli.refusals import Refused, sentence_for

#: Each command and where it lives, in the order `--help` shows them.
COMMANDS = {
    "up": "crm.cli.up:up",
    "bootstrap": "crm.cli.bootstrap:bootstrap",
    "migrate": "crm.cli.migrate:migrate",
    "serve": "crm.cli.serve:serve",
    "worker": "crm.cli.worker:worker",
    "scheduler": "crm.cli.scheduler:scheduler",
    "tenant": "crm.cli.tenants:tenant",
    "cell": "crm.cli.moves:cell",
    "staff": "crm.cli.staff:staff",
    "visit": "crm.cli.visiting:visit",
    "access": "crm.cli.access:access",
    "audit": "crm.cli.audit:audit",
    "demo": "crm.cli.demo:demo",
    "doctor": "crm.cli.doctor:doctor",
    "backup": "crm.cli.backups:backup",
    "place": "crm.cli.places:place",
    "bundle": "crm.cli.bundles:bundle",
    "keys": "crm.cli.keys:keys",
    "certificate": "crm.cli.certificates:certificate",
}


class Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002 -- click's signature
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except Exception as error:
            sentence = sentence_for(error)
            if sentence is None:
                raise
            raise Refused(sentence) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="freehold")
def main() -> None:
    """A multi-tenant CRM backend whose customers own their data, provably."""
