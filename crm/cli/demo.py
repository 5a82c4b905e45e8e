"""`freehold demo`: two tenants with believable data, and who signs in to them."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crm.cli import options

if TYPE_CHECKING:
    from crm.demo.loading import SignIn
    from tenants.foundation.settings import Settings


@click.command(short_help="Two tenants with believable data.")
@options.data_dir
@options.as_json
def demo(data_dir: Path, *, as_json: bool) -> None:
    """Load the demo where it is not there yet, and show its sign-ins."""
    from tenants.foundation.settings import Settings

    found = load_demo(Settings.read(data_dir), data_dir)
    if as_json:
        options.answer({"sign_ins": [each.shown() for each in found]}, as_json=True)
    else:
        show(found, data_dir)


def load_demo(settings: "Settings", data_dir: Path) -> "list[SignIn]":
    """The demo's sign-ins, after loading what is missing. New keys are left in `<data-dir>/demo-keys.json` (0600)."""
    from crm.app import nursery_of, open_house
    from crm.demo.loading import load

    house = open_house(settings)
    found = load(nursery_of(settings, house.catalog, as_owner=True))
    fresh = {each.tenant: each.api_key for each in found if each.api_key}
    if fresh:
        keys = data_dir / "demo-keys.json"
        with os.fdopen(os.open(keys, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
            json.dump({**fresh}, file, indent=1)
    return found


def show(found: "list[SignIn]", data_dir: Path) -> None:
    """The sign-ins as a table that fits a terminal."""
    from rich.console import Console
    from rich.table import Table

    table = Table("tenant", "who", "role", "e-mail", "password", box=None, header_style="bold")
    for each in found:
        table.add_row(each.tenant, each.name, each.role, each.email, each.password)
    Console().print(table)
    click.echo(f"The admins' API keys are in {data_dir / 'demo-keys.json'}.")
