"""`freehold bootstrap`: logins and database on a PostgreSQL server of your own."""

from pathlib import Path

import click

from crm.cli import options


@click.command(short_help="Logins and database on a PostgreSQL of your own.")
@click.option("--admin-url", required=True, help="PostgreSQL 16 or later, as a superuser.", metavar="URL")
@options.data_dir
@options.as_json
def bootstrap(admin_url: str, data_dir: Path, *, as_json: bool) -> None:
    """Make Freehold's logins and database, and leave their URLs in <data-dir>/env.

    Run it again to repair rights; passwords stay what they are.
    """
    from dotenv import dotenv_values

    from crm.cli.ground import bootstrap_with, leave_env
    from tenants.foundation.settings_sources import postgresql_url

    try:
        url = str(postgresql_url(admin_url))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--admin-url") from None
    file = data_dir / "env"
    known = (
        {name: value for name, value in dotenv_values(file).items() if value is not None}
        if file.exists()
        else {}
    )
    made = bootstrap_with(url, data_dir)
    options.answer({"env": leave_env(data_dir, known | made), "settings": sorted(made)}, as_json=as_json)
