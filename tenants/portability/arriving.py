"""Brings a tenant back from a bundle: into a fresh one, equal row by row, or not at all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from time import monotonic

from tenants.access.caller import SYSTEM, act_as
from tenants.catalog.registry import Home
from tenants.foundation.errors import Conflict, Refusal
from tenants.foundation.tables import Source
from tenants.isolation.door import db, inside
from tenants.portability.bundling import PATIENCE_SECONDS
from tenants.portability.comparing import content_here, differences
from tenants.portability.contents import tables
from tenants.portability.described import Described
from tenants.portability.descriptor import PARTIAL
from tenants.portability.files import bring_files_in
from tenants.portability.filling import Filling
from tenants.portability.models import Arrival
from tenants.portability.opening import opened_bundle
from tenants.portability.shapes import misshapen
from tenants.portability.telling import Told
from tenants.portability.verifying import Report, verify
from tenants.provisioning.birth import Nursery

ToldOfPhase = Callable[[str, str, int], None]
KEPT_EVERY_SECONDS = 60


class BundleDamaged(Refusal):
    """A bundle that does not hold; nothing of it was brought in."""

    status = 422
    code = "bundle_damaged"
    title = "This bundle does not hold"


class BundleDoesNotFit(Refusal):
    """A sound bundle of tables that are not built as ours are."""

    status = 409
    code = "bundle_does_not_fit"
    title = "This bundle is of another version"


@dataclass(frozen=True)
class Arrived:
    """A tenant that was brought in, and what it brought."""

    home: Home
    report: Report


def bring_in(
    nursery: Nursery,
    path: Path,
    slug: str,
    *,
    name: str | None = None,
    region: str | None = None,
    tell: ToldOfPhase = lambda _phase, _table, _rows: None,
) -> Arrived:
    """A new tenant with everything that the bundle has, in a cell of `region`, which it never leaves, if there is one.

    `tell` hears of the phase, the table, and the rows so far. Raises NotABundle, BundleDamaged with every finding,
    BundleDoesNotFit, and what `Nursery.claimed` raises.
    """
    nursery.regions.cells_of(region)
    report = verify(path, lambda table, rows: tell("verify", table, rows))
    if not report.holds:
        raise BundleDamaged(" ".join(map(str, report.findings)))
    _must_fit(report.described, nursery.head)
    with nursery.claimed(slug, name or report.described.name, region) as home:
        kept = _Kept(nursery, home, tell)
        with inside(home, patience_seconds=PATIENCE_SECONDS):
            act_as(SYSTEM, request_id="arrival", source=Source.IMPORT)
            with opened_bundle(path) as bundle:
                own = {"id": str(home.id), "slug": slug, "state": "active"}
                Filling(bundle, home.id, own, kept.said("import")).fill()
                bring_files_in(bundle, kept.said("import"))
            _must_be_equal(report.content, kept.said("compare"))
            _must_be_shaped()
            db().add(_arrival(path, report.described))
    return Arrived(home, report)


def _must_fit(described: Described, head: str) -> None:
    if not described.format.restorable:
        raise BundleDoesNotFit(
            f"A bundle in {described.format} is for asking questions of. Bring in one in csv or jsonl."
        )
    if described.partial:
        raise BundleDoesNotFit(f"This bundle is not of a whole tenant. {PARTIAL}")
    if described.whole:
        raise BundleDoesNotFit(
            "It is a tenant that was put away, for its own keys alone: it comes back as itself."
        )
    if described.schema_revision != head:
        raise BundleDoesNotFit(
            f"It is of revision {described.schema_revision}, and the tables here are at {head}."
            " Bring it in with a program of its own revision, migrate there, and export again."
        )  # fmt: skip
    ours = {each.name: {(field.name, field.kind.name) for field in each.columns} for each in tables()}
    theirs = {
        each.name: {(field.name, field.kind.name) for field in each.fields} for each in described.tables
    }
    if different := sorted(
        name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name)
    ):
        raise BundleDoesNotFit(f"These tables are not built as ours are: {', '.join(different)}.")


def _must_be_equal(expected: Mapping[str, str], tell: Told) -> None:
    """Everything is read again from the tables before it counts."""
    if different := differences(expected, content_here(tell)):
        raise Conflict(
            f"What arrived is not what the bundle holds, in {', '.join(different)}. Nothing was kept."
        )


def _must_be_shaped() -> None:
    """A document of another shape would come in, and stop whatever reads it."""
    if wrong := misshapen():
        raise BundleDamaged(f"These hold documents that are none of ours: {', '.join(wrong)}.")


def _arrival(path: Path, described: Described) -> Arrival:
    with path.open("rb") as file:
        sha256 = file_digest(file, "sha256").hexdigest()
    return Arrival(
        bundle_sha256=sha256,
        from_tenant=described.tenant_id,
        from_slug=described.slug,
        snapshot_at=described.snapshot_at,
    )


class _Kept:
    """Passes progress on, and keeps the half-filled tenant from being swept away meanwhile."""

    def __init__(self, nursery: Nursery, home: Home, tell: ToldOfPhase) -> None:
        self._nursery, self._home, self._tell = nursery, home, tell
        self._latest = monotonic()

    def said(self, phase: str) -> Told:
        def tell(table: str, rows: int) -> None:
            if monotonic() - self._latest > KEPT_EVERY_SECONDS:
                self._nursery.keep(self._home)
                self._latest = monotonic()
            self._tell(phase, table, rows)

        return tell
