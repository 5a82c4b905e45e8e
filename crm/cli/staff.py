"""`freehold staff …`: accounts of our own people. None of them has a right on any tenant's data."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crm.cli import options
from crm.cli.opening import opened

if TYPE_CHECKING:
    from tenants.provisioning.birth import Nursery
    from tenants.support_access.staff.models import Staff

ROLES = ("support", "security", "legal", "platform")


@click.group(short_help="Accounts of our own people.")
def staff() -> None:
    """Make, list and end accounts of our own people. They see nothing of a tenant without its leave."""


@staff.command("create")
@click.argument("email", type=options.Address())
@click.option("--role", required=True, type=click.Choice(ROLES), help="What they do.")
@click.option("--name", help="What they are called; the tenant sees it.  [default: from the address]")
@click.option(
    "--manager", metavar="EMAIL", help="Who approves what they ask for; else anybody of platform does."
)
@click.option(
    "--password-stdin",
    "password",
    is_flag=True,
    help="Read a password from stdin; a second factor comes with it.",
)
@click.option("--api-key", is_flag=True, help="Make an API key; it is printed here and nowhere else.")
@options.data_dir
@options.as_json
def create_staff(email: str, data_dir: Path, *, as_json: bool, **said: Any) -> None:
    """Make an account for EMAIL."""
    from tenants.support_access.staff.accounts import NewStaff, make_staff

    nursery = _nursery(data_dir)
    password = options.password_given(wanted=said["password"])
    name = said["name"] or email.partition("@")[0]
    new = NewStaff(email, said["role"], name, said["manager"], password, api_key=said["api_key"])
    made = make_staff(nursery.catalog, nursery.wrapper, new)
    secrets = {"api_key": made.api_key, "totp": made.totp}
    shown = {"staff": _shown(made.staff), **{name: value for name, value in secrets.items() if value}}
    options.answer(shown, as_json=as_json)


@staff.command("list")
@options.data_dir
@options.as_json
def list_staff(data_dir: Path, *, as_json: bool) -> None:
    """Every account, with its role and state."""
    from rich.console import Console
    from rich.table import Table

    from tenants.support_access.staff.accounts import all_staff

    rows = [_shown(each) for each in all_staff(_nursery(data_dir).catalog)]
    if as_json:
        options.answer({"staff": rows}, as_json=True)
        return
    table = Table("email", "name", "role", "state", box=None, header_style="bold")
    for row in rows:
        table.add_row(*(str(row[each]) for each in ("email", "name", "role", "state")))
    Console().print(table if rows else "There is nobody yet: freehold staff create EMAIL --role …")


@staff.command("deactivate", short_help="End an account.")
@click.argument("email")
@options.data_dir
@options.as_json
def deactivate_staff(email: str, data_dir: Path, *, as_json: bool) -> None:
    """End the account of EMAIL: keys and sessions fail at once, visits with their next request."""
    from tenants.support_access.staff.accounts import deactivate

    options.answer({"staff": _shown(deactivate(_nursery(data_dir).catalog, email))}, as_json=as_json)


def _shown(staff: "Staff") -> dict[str, Any]:
    names = ("id", "email", "name", "role", "state", "manager_id")
    return {name: value for name in names if (value := getattr(staff, name)) is not None}


def _nursery(data_dir: Path) -> "Nursery":
    from crm.app import nursery_of

    settings, catalog = opened(data_dir)
    return nursery_of(settings, catalog)
