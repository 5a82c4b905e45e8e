"""Brings a tenant back from a bundle: into a fresh one, equal row by row, or not at all."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tenants.access.caller import SYSTEM, act_as
from tenants.catalog.registry import Home
from tenants.foundation.errors import Refusal
from tenants.foundation.tables import Source
from tenants.isolation.door import db, inside
from tenants.portability.bundling import PATIENCE_SECONDS
from tenants.portability.comparing import content_here, must_be_equal
from tenants.portability.described import Described
from tenants.portability.files import bring_files_in
from tenants.portability.filling import Filling
from tenants.portability.fitting import must_fit
from tenants.portability.models import Arrival
from tenants.portability.older import fill_as_of_then, settle_as_copy
from tenants.portability.opening import must_be_the_file, opened_bundle
from tenants.portability.shapes import misshapen
from tenants.portability.telling import Told
from tenants.portability.verifying import Report, verify
from tenants.provisioning.birth import Nursery

ToldOfPhase = Callable[[str, str, int], None]


class BundleDamaged(Refusal):
    """A bundle that does not hold; nothing of it was brought in."""

    status = 422
    code = "bundle_damaged"
    title = "This bundle does not hold"


@dataclass(frozen=True)
class Arrived:
    """A tenant that was brought in, and what it brought."""

    home: Home
    report: Report


def bring_in(  # noqa: PLR0913 - each is said by whoever brings a tenant in
    nursery: Nursery,
    path: Path,
    slug: str,
    *,
    name: str | None = None,
    region: str | None = None,
    sha256: str | None = None,
    tell: ToldOfPhase = lambda _phase, _table, _rows: None,
) -> Arrived:
    """A new tenant with everything that the bundle has, in a cell of `region`, which it never leaves, if there is one.

    `sha256` is what whoever made the bundle says of it. `tell` hears of the phase, the table, and the rows so far. Raises
    AnotherFile, NotABundle, BundleDamaged with every finding, BundleDoesNotFit, and what `Nursery.claimed` raises.
    """
    nursery.regions.cells_of(region)
    found = must_be_the_file(path, sha256)
    report = verify(path, lambda table, rows: tell("verify", table, rows))
    if not report.holds:
        raise BundleDamaged(" ".join(map(str, report.findings)))
    described = report.described
    must_fit(described, nursery.head)
    older = described.schema_revision != nursery.head

    def said(phase: str) -> Told:
        return lambda table, rows: tell(phase, table, rows)

    with nursery.claimed(slug, name or described.name, region) as home:
        own = {"id": str(home.id), "slug": slug, "state": "active"}
        if older:
            fill_as_of_then(nursery.owner_urls.get(home.cell), home, path, report, own, said)
        with inside(home, patience_seconds=PATIENCE_SECONDS), opened_bundle(path) as bundle:
            act_as(SYSTEM, request_id="arrival", source=Source.IMPORT)
            if not older:
                Filling(bundle, home.id, own, said("import")).fill()
            bring_files_in(bundle, said("import"))
            if older:
                settle_as_copy(own)
            else:
                must_be_equal(report.content, content_here(said("compare")))
            _must_be_shaped()
            # It was read several times since: what was put in its place meanwhile is not what was compared.
            db().add(_arrival(must_be_the_file(path, found), described))
    return Arrived(home, report)


def _must_be_shaped() -> None:
    """A document of another shape would come in, and stop whatever reads it."""
    if wrong := misshapen():
        raise BundleDamaged(f"These hold documents that are none of ours: {', '.join(wrong)}.")


def _arrival(sha256: str, described: Described) -> Arrival:
    return Arrival(
        bundle_sha256=sha256,
        from_tenant=described.tenant_id,
        from_slug=described.slug,
        snapshot_at=described.snapshot_at,
    )
