"""`freehold tenant suspend`, `resume`, `archive`, `restore`, `close`, `inactivity`: what becomes of a whole tenant."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crm.cli import options
from crm.cli.opening import living_tenant, opened, tenant_of
from crm.cli.progress import shown_progress

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from tenants.catalog.models import State

reason = click.option("--reason", required=True, help="Why; the tenant reads it in its audit log.")


@click.command("suspend", short_help="A tenant that can be read and exported, not changed.")
@click.argument("slug")
@reason
@options.data_dir
@options.as_json
def suspend_tenant(slug: str, reason: str, data_dir: Path, *, as_json: bool) -> None:
    """Suspend tenant SLUG: everything in it can be read and exported, nothing changed, and its work waits."""
    from tenants.catalog.models import State

    options.answer(_moved(slug, State.SUSPENDED, reason, data_dir), as_json=as_json)


@click.command("resume", short_help="A suspended tenant goes on.")
@click.argument("slug")
@reason
@options.data_dir
@options.as_json
def resume_tenant(slug: str, reason: str, data_dir: Path, *, as_json: bool) -> None:
    """End the suspension of tenant SLUG: it is as it was, and work that waited goes on."""
    from tenants.catalog.models import State

    options.answer(_moved(slug, State.ACTIVE, reason, data_dir), as_json=as_json)


@click.command("archive", short_help="Put a tenant away, sealed.")
@click.argument("slug")
@reason
@options.data_dir
@options.as_json
def archive_tenant(slug: str, reason: str, data_dir: Path, *, as_json: bool) -> None:
    """Archive tenant SLUG: frozen, written to storage as one sealed bundle, read back, and only then dropped.

    Run it again to take up what was cut short.
    """
    from tenants.lifecycle.archives.keeping import ask_to_archive

    options.answer(_carried_out(slug, data_dir, ask_to_archive, reason), as_json=as_json)


@click.command("restore", short_help="An archived tenant comes back.")
@click.argument("slug")
@click.option("--reason", default="Whoever runs the program restored it.", help="Why.")
@options.data_dir
@options.as_json
def restore_tenant(slug: str, reason: str, data_dir: Path, *, as_json: bool) -> None:
    """Bring the archived tenant SLUG back as itself, equal row by row or not at all."""
    from tenants.lifecycle.archives.keeping import ask_to_thaw

    options.answer(_carried_out(slug, data_dir, ask_to_thaw, reason), as_json=as_json)


@click.command("close", short_help="The exit of a tenant, by its dates.")
@click.argument("slug")
@click.option("--reason", default="", help="Why.")
@click.option("--notice-days", default=0, show_default=True, help="Until the transition begins.")
@click.option("--transition-days", default=30, show_default=True, help="Everything goes on as before.")
@click.option("--retrieval-days", default=30, show_default=True, help="Everything can be read and exported.")
@click.option("--cancel", "cancelling", is_flag=True, help="Go back on it instead.")
@options.data_dir
@options.as_json
def close_tenant(slug: str, data_dir: Path, *, cancelling: bool, as_json: bool, **said: Any) -> None:
    """Begin the exit of tenant SLUG: notice, transition, retrieval, a last notice, and destruction after that.

    Its admins are told, and can cancel it until the end. One that is archived is woken for it.
    """
    from crm.app import owners_of
    from tenants.catalog.states import Mover
    from tenants.lifecycle.changing import Decision, settle
    from tenants.lifecycle.closing.exiting import ask_to_close, cancel

    settings, catalog = opened(data_dir)
    home = tenant_of(catalog, slug)
    decision = Decision(Mover.OPERATOR, said.pop("reason") or "Whoever runs the program asked for it.")
    if cancelling:
        if cancel(catalog, home.id, decision):
            settle(catalog, owners_of(settings), home.id)
        options.answer({"tenant": slug, "closing": "cancelled"}, as_json=as_json)
        return
    days = {name.removesuffix("_days"): value for name, value in said.items()}
    made = ask_to_close(catalog, home, decision, **days)
    dates = ("notice_until", "transition_until", "retrieval_until")
    options.answer({"tenant": slug, **{name: getattr(made, name) for name in dates}}, as_json=as_json)


@click.command("inactivity", short_help="After how long without use a tenant is archived.")
@click.argument("slug")
@click.option("--days", type=int, metavar="N", help="After so many days, 60 to 3650.")
@click.option("--never", is_flag=True, help="Never.")
@click.option("--as-usual", is_flag=True, help="After as many days as FREEHOLD_INACTIVITY_DAYS says.")
@reason
@options.data_dir
@options.as_json
def set_inactivity(slug: str, reason: str, data_dir: Path, *, as_json: bool, **said: Any) -> None:
    """Say after how many days without use tenant SLUG is archived, for example because its plan says so.

    Its admins are told 30, 7 and 1 days before, also when the days that you say have gone by already.
    """
    from tenants.catalog.models import NEVER
    from tenants.lifecycle.inactivity.periods import period_days, set_period

    if sum((said["days"] is not None, said["never"], said["as_usual"])) != 1:
        raise click.UsageError("Say one of --days N, --never and --as-usual.")
    if said["days"] == NEVER:
        raise click.UsageError("Say --never.")
    settings, catalog = opened(data_dir)
    own = NEVER if said["never"] else said["days"]
    set_period(catalog, living_tenant(catalog, slug), own, reason)
    after = period_days(own, settings.inactivity_days)
    options.answer({"tenant": slug, "inactivity_days": own, "archived_after_days": after}, as_json=as_json)


def _carried_out(slug: str, data_dir: Path, ask: "Callable[..., UUID]", why: str) -> dict[str, Any]:
    from dataclasses import replace

    from crm.schedule import archive_works_of
    from tenants.catalog.states import Mover
    from tenants.lifecycle.archives.keeping import go_on, under_way
    from tenants.lifecycle.archives.models import Archive
    from tenants.lifecycle.changing import Decision

    settings, catalog = opened(data_dir)
    home = tenant_of(catalog, slug)
    archive_id = under_way(catalog, home.id) or ask(catalog, home.id, Decision(Mover.OPERATOR, why))
    with shown_progress() as tell:
        go_on(replace(archive_works_of(settings, catalog), told=tell), archive_id)
    with catalog.transaction() as session:
        archive = session.get_one(Archive, archive_id)
        said = {
            name: getattr(archive, name)
            for name in ("step", "rows", "size", "sha256", "kept_at", "returned_at")
        }
    return {"tenant": slug, "archive": str(archive_id), **said}


def _moved(slug: str, after: "State", why: str, data_dir: Path) -> dict[str, Any]:
    from crm.app import owners_of
    from tenants.catalog.states import Mover
    from tenants.lifecycle.changing import Decision, move

    settings, catalog = opened(data_dir)
    home = tenant_of(catalog, slug)
    move(catalog, owners_of(settings), home, after, Decision(Mover.OPERATOR, why))
    return {"tenant": slug, "before": home.state.value, "state": after.value}
