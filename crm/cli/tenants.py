"""`freehold tenant …`: make, list and look at tenants, let them out and in."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crm.cli import options
from crm.cli.bundles import export_tenant, import_tenant
from crm.cli.domains import assign_domain
from crm.cli.holds import hold_tenant, release_tenant
from crm.cli.lifecycle import (
    archive_tenant,
    close_tenant,
    restore_tenant,
    resume_tenant,
    set_inactivity,
    suspend_tenant,
)
from crm.cli.moves import move_tenant
from crm.cli.opening import no_tenant, opened, opened_nursery
from crm.cli.tenant_keys import destroy_tenant, rotate_key

if TYPE_CHECKING:
    from tenants.catalog.registry import Catalog
    from tenants.foundation.settings import Settings

NAMES_IN_LIST = ("slug", "name", "state", "cell", "region", "revision")


@click.group(short_help="Make, list and look at tenants, let them out and in.")
def tenant() -> None:
    """Make, list and look at tenants; take one out as a bundle, and bring one in."""


tenant.add_command(export_tenant)
tenant.add_command(import_tenant)
tenant.add_command(suspend_tenant)
tenant.add_command(resume_tenant)
tenant.add_command(rotate_key)
tenant.add_command(destroy_tenant)
tenant.add_command(archive_tenant)
tenant.add_command(restore_tenant)
tenant.add_command(close_tenant)
tenant.add_command(hold_tenant)
tenant.add_command(release_tenant)
tenant.add_command(move_tenant)
tenant.add_command(assign_domain)
tenant.add_command(set_inactivity)


@tenant.command("create")
@click.argument("slug")
@click.option("--name", required=True, help="Its name for people.")
@click.option(
    "--admin-email", required=True, type=options.Address(), metavar="EMAIL", help="Its first admin."
)
@click.option("--admin-name", default="Admin", show_default=True, help="What they are called.")
@click.option("--admin-password-stdin", "password", is_flag=True, help="Read a password for them from stdin.")
@click.option("--region", help="The region that it never leaves.")
@click.option("--cell", help="The server that it lives on; one of its region, unless you name one.")
@click.option(
    "--api-key", is_flag=True, help="Make an API key for them; it is printed here and nowhere else."
)
@options.data_dir
@options.as_json
def create_tenant(slug: str, name: str, data_dir: Path, *, as_json: bool, **who: Any) -> None:
    """Make a tenant SLUG with its first admin."""
    from tenants.identity.founding import Founder
    from tenants.identity.signing_in.strength import must_be_strong
    from tenants.provisioning.slugs import checked_slug

    nursery = opened_nursery(data_dir)
    password = options.password_given(wanted=who["password"])
    if password is not None:
        must_be_strong(password, [who["admin_name"], who["admin_email"], name, slug])
    founder = Founder(who["admin_name"], who["admin_email"], password, api_key=who["api_key"])
    home, founding = nursery.open(checked_slug(slug), name, founder, who["cell"], who["region"])
    made = {
        "tenant": {"id": str(home.id), "slug": slug, "name": name},
        "user": {"id": str(founding.user_id), "name": founder.name, "email": founder.email},
    }
    options.answer({**made, "api_key": founding.api_key} if founding.api_key else made, as_json=as_json)


@tenant.command("list")
@options.data_dir
@options.as_json
def list_tenants(data_dir: Path, *, as_json: bool) -> None:
    """Every tenant, with its state, cell and revision."""
    from rich.console import Console
    from rich.table import Table

    rows = _rows(*opened(data_dir))
    if as_json:
        options.answer({"tenants": rows}, as_json=True)
        return
    table = Table(*NAMES_IN_LIST, "archived after", "made (UTC)", box=None, header_style="bold")
    for row in rows:
        described = (str(row[each] or "") for each in NAMES_IN_LIST)
        days = row["archived_after_days"]
        unused = "never" if days is None else f"{days} days"
        table.add_row(*described, unused, f"{row['claimed_at']:%Y-%m-%d %H:%M}")
    Console().print(table if rows else "There are no tenants yet: freehold tenant create SLUG …")


@tenant.command("show", short_help="What the catalog knows of a tenant.")
@click.argument("slug")
@options.data_dir
@options.as_json
def show_tenant(slug: str, data_dir: Path, *, as_json: bool) -> None:
    """What the catalog knows of tenant SLUG, how it came to its state, and its exit, if it is in one.

    Nothing that is in it is shown.
    """
    settings, catalog = opened(data_dir)
    found = [row for row in _rows(settings, catalog) if row["slug"] == slug]
    if not found:
        raise no_tenant(slug)
    tenant_id = found[0]["id"]
    shown = found[0] | _latest_change(catalog, tenant_id) | {"exit": _exit(catalog, tenant_id)}
    options.answer(shown, as_json=as_json)


def _latest_change(catalog: "Catalog", tenant_id: Any) -> dict[str, Any]:
    from sqlalchemy import select

    from tenants.catalog.models import StateChange

    query = select(StateChange).where(StateChange.tenant_id == tenant_id).order_by(StateChange.id.desc())
    with catalog.transaction() as session:
        each = session.scalars(query.limit(1)).one_or_none()
        return {"since": each.at, "by": each.mover, "reason": each.reason} if each else {}


def _exit(catalog: "Catalog", tenant_id: Any) -> dict[str, Any] | None:
    from sqlalchemy import select

    from tenants.foundation.clock import now
    from tenants.lifecycle.closing.exiting import OPEN
    from tenants.lifecycle.closing.models import Closing

    with catalog.transaction() as session:
        found = session.scalars(select(Closing).where(Closing.tenant_id == tenant_id, *OPEN)).one_or_none()
        if found is None:
            return None
        phase, next_date = found.phase(now()), found.next_date(now())
        return {"phase": phase.value, "asked_at": found.asked_at, "next_date": next_date}


def _rows(settings: "Settings", catalog: "Catalog") -> list[dict[str, Any]]:
    from sqlalchemy import select

    from tenants.catalog.models import Tenant
    from tenants.lifecycle.inactivity.periods import period_days

    names = ("id", *NAMES_IN_LIST, "fence_reason", "claimed_at", "inactivity_days")
    with catalog.transaction() as session:
        every = session.scalars(select(Tenant).where(Tenant.slug.is_not(None)).order_by(Tenant.slug))
        rows = [{name: getattr(each, name) for name in names} for each in every]
    usual = settings.inactivity_days
    return [row | {"archived_after_days": period_days(row["inactivity_days"], usual)} for row in rows]
