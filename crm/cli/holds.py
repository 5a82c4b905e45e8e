"""`freehold tenant hold` and `release`: a legal hold over a tenant, placed by whoever runs the program."""

from pathlib import Path
from typing import Any
from uuid import UUID

import click

from crm.cli import options
from crm.cli.opening import living_tenant, opened
from crm.cli.refusals import Refused


@click.command("hold", short_help="Keep everything of a tenant from being deleted.")
@click.argument("slug")
@click.option("--matter", required=True, help="Which proceedings it is for.")
@click.option("--reason", required=True, help="Why; the tenant reads it.")
@click.option("--document-sha256", metavar="HEX", help="Of the order.")
@options.data_dir
@options.as_json
def hold_tenant(slug: str, data_dir: Path, *, as_json: bool, **said: Any) -> None:
    """Put everything of tenant SLUG under a legal hold: nothing of it is deleted, and it is not destroyed.

    The tenant sees it among its holds and on record, as placed by the platform. Only `release` ends it.
    """
    from tenants.access.caller import SYSTEM, act_as
    from tenants.foundation.errors import Invalid
    from tenants.isolation.door import inside
    from tenants.retention.holds import place_hold
    from tenants.retention.schemas import HoldBody

    if errors := HoldBody().validate(said):
        raise Invalid(errors=errors)
    _, catalog = opened(data_dir)
    with inside(living_tenant(catalog, slug)):
        act_as(SYSTEM, request_id="hold")
        made = place_hold(said)
    options.answer({"tenant": slug, "hold": str(made.id), "matter": made.matter}, as_json=as_json)


@click.command("release", short_help="End a legal hold.")
@click.argument("slug")
@click.argument("hold", type=click.UUID)
@click.option("--reason", required=True, help="Why; the tenant reads it.")
@options.data_dir
@options.as_json
def release_tenant(slug: str, hold: UUID, reason: str, data_dir: Path, *, as_json: bool) -> None:
    """End the legal hold HOLD of tenant SLUG. What other holds keep stays kept."""
    from tenants.access.caller import SYSTEM, act_as
    from tenants.isolation.door import db, inside
    from tenants.retention.holds import release_hold
    from tenants.retention.models import LegalHold

    _, catalog = opened(data_dir)
    with inside(living_tenant(catalog, slug)):
        act_as(SYSTEM, request_id="release")
        found = db().get(LegalHold, hold, with_for_update=True)
        if found is None:
            raise Refused(f"The tenant '{slug}' has no legal hold {hold}.")
        released_at = release_hold(found, reason).released_at
    options.answer({"tenant": slug, "hold": str(hold), "released_at": released_at}, as_json=as_json)
