"""`freehold audit …`: check a tenant's log against its seals, and forget a person's values in it."""

from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from crm.cli import options
from crm.cli.opening import living_tenant, opened
from crm.cli.refusals import Refused

if TYPE_CHECKING:
    from tenants.catalog.registry import Catalog, Home


@click.group(short_help="Check a tenant's log, and forget values in it.")
def audit() -> None:
    """Check a tenant's audit log against its seals, and forget a person's values in it."""


@audit.command("verify", short_help="Check the log of a tenant against its seals.")
@click.argument("slug")
@options.data_dir
@options.as_json
def verify_log(slug: str, data_dir: Path, *, as_json: bool) -> None:
    """Work out every seal of tenant SLUG again and compare; status 1 and a sentence each when something is wrong."""
    from tenants.audit.verification import verify_log as verified

    report = verified(*_at_home(slug, data_dir))
    found = {
        "holds": report.holds, "events": report.events, "seals": report.seals, "brought": report.brought,
        "unsealed": report.unsealed, "erased": report.erased, "wrong": report.wrong,
    }  # fmt: skip
    options.answer(found if as_json else {k: v for k, v in found.items() if k != "wrong"}, as_json=as_json)
    if report.wrong:
        raise Refused("\n".join(report.wrong))


@audit.command("erase", short_help="Forget what a tenant's log keeps of a person.")
@click.argument("slug")
@click.argument("record_ids", nargs=-1, required=True, type=click.UUID)
@options.data_dir
@options.as_json
def erase(slug: str, record_ids: tuple[UUID, ...], data_dir: Path, *, as_json: bool) -> None:
    """Forget the personal values that the log of tenant SLUG keeps of these records; the log still verifies."""
    from tenants.access.caller import SYSTEM, act_as
    from tenants.audit.erasure import erase_values
    from tenants.isolation.door import inside

    _, home = _at_home(slug, data_dir)
    with inside(home, patience_seconds=600):
        act_as(SYSTEM, request_id="audit erase")
        gone = erase_values(record_ids)
    options.answer({"events_without_values_now": gone}, as_json=as_json)


def _at_home(slug: str, data_dir: Path) -> "tuple[Catalog, Home]":
    _, catalog = opened(data_dir)
    return catalog, living_tenant(catalog, slug)
