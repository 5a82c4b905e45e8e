"""`freehold tenant move` and `freehold cell list`: which server a tenant lives on."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crm.cli import options
from crm.cli.opening import opened, tenant_of
from crm.cli.progress import shown_progress

if TYPE_CHECKING:
    from uuid import UUID

    from tenants.catalog.registry import Catalog
    from tenants.lifecycle.moves.models import Move
    from tenants.lifecycle.moves.running import Works

SHOWN = (
    "step",
    "from_cell",
    "to_cell",
    "rows",
    "pause_seconds",
    "switched_at",
    "resumed_at",
    "way_back_until",
    "error",
)


@click.command("move", short_help="A tenant to another server, and back.")
@click.argument("slug")
@click.option("--cell", help="Where it goes.")
@click.option("--back", is_flag=True, help="Stay, or go back where it was, with all that was written since.")
@click.option("--confirm", is_flag=True, help="It stays where it is: what was left behind is dropped.")
@click.option("--reason", default="Whoever runs the program asked for it.", help="Why.")
@options.data_dir
@options.as_json
def move_tenant(slug: str, data_dir: Path, *, as_json: bool, **said: Any) -> None:
    """Move tenant SLUG to another cell: copied while people work, then paused for what they did meanwhile.

    Run it again to take up what was cut short. There is a way back until it is confirmed, for two weeks.
    """
    if sum(map(bool, (said["cell"], said["back"], said["confirm"]))) != 1:
        raise click.UsageError("Say one of --cell NAME, --back and --confirm.")
    from crm.schedule import move_works_of
    from tenants.lifecycle.moves.models import Step
    from tenants.lifecycle.telling.rounds import tell_what_waits

    settings, catalog = opened(data_dir)
    works = move_works_of(settings, catalog)
    del said["confirm"]
    home = tenant_of(catalog, slug)
    move_id = _asked(works, home.id, **said)
    if _move(catalog, move_id).step == Step.COPYING:
        # Before it stands still, when nothing can be told there; the scheduler tells the rest.
        tell_what_waits(catalog, works.regions, home.id)
    _carry_out(works, move_id)
    move = _move(catalog, move_id)
    options.answer({"tenant": slug, **{name: getattr(move, name) for name in SHOWN}}, as_json=as_json)


def _asked(works: "Works", tenant_id: "UUID", *, cell: str | None, back: bool, reason: str) -> "UUID":
    from tenants.lifecycle.moves.moving import ask_to_confirm, ask_to_go_back, ask_to_move

    if cell:
        return ask_to_move(works, tenant_id, cell, reason)
    return ask_to_go_back(works, tenant_id, reason) if back else ask_to_confirm(works, tenant_id)


def _carry_out(works: "Works", move_id: "UUID") -> None:
    """Take it through its steps, or watch whoever does, until it rests."""
    import time
    from dataclasses import replace

    from tenants.foundation.errors import Conflict
    from tenants.lifecycle.moves.models import Step
    from tenants.lifecycle.moves.moving import go_on

    with shown_progress() as tell:
        while not Step((move := _move(works.catalog, move_id)).step).rests:
            tell(move.phase or move.step, move.done or 0)
            try:
                go_on(replace(works, told=tell), move_id)
            except Conflict as refusal:
                if refusal.stable_code != "taken":
                    raise
                time.sleep(0.5)


def _move(catalog: "Catalog", move_id: "UUID") -> "Move":
    from tenants.lifecycle.moves.models import Move

    with catalog.transaction() as session:
        return session.get_one(Move, move_id)


@click.group(short_help="The servers that tenants live on.")
def cell() -> None:
    """The servers that tenants live on. `FREEHOLD_CELLS` names them."""


@cell.command("list")
@options.data_dir
@options.as_json
def list_cells(data_dir: Path, *, as_json: bool) -> None:
    """Every cell, with its region and how many tenants and spares it has."""
    from rich.console import Console
    from rich.table import Table
    from sqlalchemy import func, select

    from tenants.catalog.models import State, Tenant

    settings, catalog = opened(data_dir)
    ready = func.count().filter(Tenant.state == State.SPARE)
    query = select(Tenant.cell, func.count(Tenant.slug), ready).group_by(Tenant.cell)
    with catalog.transaction() as session:
        counted = {name: (taken, spares) for name, taken, spares in session.execute(query)}
    rows = [
        {
            "cell": name,
            "region": region,
            "tenants": counted.get(name, (0, 0))[0],
            "spares": counted.get(name, (0, 0))[1],
        }
        for name, region in settings.regions.items()
    ]
    if as_json:
        options.answer({"cells": rows}, as_json=True)
        return
    table = Table("cell", "region", "tenants", "spares", box=None, header_style="bold")
    for row in rows:
        table.add_row(*(str(each if each is not None else "") for each in row.values()))
    Console().print(table)
