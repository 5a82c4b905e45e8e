"""Brings in a bundle of an older revision: into tables as they were then, migrated once every row is found equal."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import sqlalchemy as sa

from tenants.access.caller import SYSTEM, act_as
from tenants.catalog.registry import Home
from tenants.foundation.errors import Conflict
from tenants.foundation.tables import Source
from tenants.isolation.door import db, inside
from tenants.isolation.owner import OwnerError
from tenants.isolation.sealing import seal_with_first_key
from tenants.isolation.stepping import Step, build, grant_exactly, step_tenant
from tenants.portability.bundling import PATIENCE_SECONDS
from tenants.portability.comparing import content_here, must_be_equal
from tenants.portability.contents import tables
from tenants.portability.filling import Filling, as_they_are
from tenants.portability.fitting import must_be_as_then
from tenants.portability.opening import opened_bundle
from tenants.portability.returning import tables_of
from tenants.portability.telling import Told
from tenants.portability.verifying import Report
from tenants.provisioning.revisions import steps, up_to

SaidOfPhase = Callable[[str], Told]


def fill_as_of_then(
    owner_url: str | None, home: Home, path: Path, report: Report, own: Mapping[str, str], said: SaidOfPhase
) -> None:
    """Have the claimed tenant hold what the bundle does, in tables of this program's revision.

    It is built anew at the bundle's revision, filled, read again and compared, and migrated then; `settle_as_copy` is
    for what comes after. Raises BundleDoesNotFit, Conflict, and Unavailable where the owner's URL is not known.
    """
    described = report.described
    build(owner_url, home.role, up_to(described.schema_revision))
    with inside(home, patience_seconds=PATIENCE_SECONDS):
        act_as(SYSTEM, request_id="arrival", source=Source.IMPORT)
        must_be_as_then(described)
        seal_with_first_key()
        these = tables_of(described)
        with opened_bundle(path) as bundle:
            Filling(bundle, home.id, own, said("import"), these).fill()
        must_be_equal(report.content, content_here(said("compare"), these))
    _migrate(owner_url, home, said("migrate"))


def settle_as_copy(own: Mapping[str, str]) -> None:
    """The tenant at hand names itself, and what was under way comes to rest, as in every copy of a tenant."""
    for table in tables():
        names = {name: own[name] for name in table.names_tenant if name not in table.key}
        if names:
            db().execute(sa.update(table.table).values({**as_they_are(table), **names}))
        for field in table.columns:
            if (rest := field.at_rest) is not None:
                state = table.table.c[field.name]
                moved = {rest.beside: state, field.name: rest.word}
                statement = sa.update(table.table).where(state.in_(sorted(rest.states)))
                db().execute(statement.values({**as_they_are(table), **moved}))


def _migrate(owner_url: str | None, home: Home, tell: Told) -> None:
    """Each step is told by its name."""

    def told(ahead: Iterable[Step]) -> Iterator[Step]:
        for count, step in enumerate(ahead, start=1):
            tell(step.name, count)
            yield step

    try:
        step_tenant(owner_url, home.role, lambda since: told(steps("tenant", since)))
        grant_exactly(owner_url, home.role)
    except OwnerError as error:
        reason = str(error).strip().partition("\n")[0]
        raise Conflict(
            f"What the bundle holds can't be brought to this program's revision: {reason}. Nothing was kept."
        ) from error
