"""The steps by which a tenant is put away and comes back: always whole in one place, and alive in one at most.

Each step is done again from its beginning when it was cut short. What can't be taken back (to drop the schema, to
build it anew, to give it its rights, to remove a bundle) is done while the archive's row is held, so that nobody who
was overtaken does it.
"""

from collections.abc import Callable, Mapping

from sqlalchemy import delete, select

from tenants.access.caller import SYSTEM, act_as
from tenants.audit.ledger import ledger
from tenants.catalog.models import LookupHash, Restoration, State, Tenant
from tenants.catalog.states import Mover
from tenants.foundation.clock import now
from tenants.foundation.encryption import Unreadable
from tenants.foundation.errors import Conflict
from tenants.foundation.tables import Source
from tenants.identity.people.addressees import admin_addresses
from tenants.identity.signing_in.places import hashed_address
from tenants.isolation.door import inside
from tenants.isolation.stepping import build, drop, grant_exactly, step_tenant
from tenants.isolation.storage import NotStored
from tenants.lifecycle.admins import mail_admins_at_once
from tenants.lifecycle.archives import bundles
from tenants.lifecycle.archives.models import Step
from tenants.lifecycle.archives.running import Attempt
from tenants.lifecycle.backups.again import Again
from tenants.lifecycle.backups.doors import end_what_is_for_the_moment
from tenants.lifecycle.backups.endings import Endings
from tenants.lifecycle.changing import Decision, change, settle
from tenants.lifecycle.telling.letters import frozen
from tenants.portability.bundling import PATIENCE_SECONDS
from tenants.portability.comparing import differences
from tenants.portability.opening import NotABundle, OpenBundle
from tenants.portability.returning import fill_as_it_was
from tenants.portability.verifying import verify_open
from tenants.provisioning.revisions import steps, up_to
from tenants.retention.holds import ends_in_force

#: Marks, in the catalog's look-ups, an address that may wake an archived tenant.
ADMINS = "archive-admin"
#: What storage gave back was not what was written: it is written again.
DAMAGED = (Conflict, NotABundle, NotStored, Unreadable)


def freeze(attempt: Attempt) -> None:
    """From the end of this step on nothing is written there any more."""
    settle(attempt.works.catalog, attempt.works.owners, attempt.archive.tenant_id)
    # No mail can wait in a tenant that stands still.
    mail_admins_at_once(attempt.home, f"frozen-{attempt.archive.id}", frozen(attempt.archive))
    with attempt.works.catalog.transaction() as session:
        change(session, attempt.archive.tenant_id, State.ARCHIVING, _decision(attempt))
        attempt.go_to(session, Step.WRITING)
    attempt.works.catalog.forget(attempt.archive.tenant_id)


def write(attempt: Attempt) -> None:
    """The whole tenant goes to storage, sealed."""
    made = bundles.write(attempt)
    attempt.advance(
        Step.CHECKING,
        file=bundles.name_of(attempt),
        size=made.size,
        rows=made.rows,
        sha256=made.sha256,
        revision=made.about.schema_revision,
    )


def check(attempt: Attempt) -> None:
    """It is read back from storage and compared, row by row, with what is in the schema."""
    try:
        with bundles.read_back(attempt) as bundle:
            content = _sound(bundle, attempt, bundles.content_of_schema(attempt))
    except DAMAGED:
        attempt.advance(Step.WRITING)
        raise
    _remove_others(attempt, but=attempt.archive.file)
    _note_admins(attempt)
    attempt.advance(Step.DROPPING, content=content, holds=_holds(attempt))


def put_away(attempt: Attempt) -> None:
    """The schema goes: the sealed bundle is the tenant now."""
    with attempt.works.catalog.transaction() as session:
        attempt.hold(session)
        drop(attempt.owner_url, attempt.home.role)
        change(session, attempt.archive.tenant_id, State.ARCHIVED, _decision(attempt))
        attempt.go_to(session, Step.KEPT, kept_at=now(), phase=None, done=None)
    attempt.works.catalog.forget(attempt.archive.tenant_id)


def fill(attempt: Attempt) -> None:
    """A schema of the archive's own revision, filled and compared; the bundle stays until it is known to be equal."""
    archive = attempt.archive
    with bundles.read_back(attempt) as bundle:
        _sound(bundle, attempt, archive.content or {})
        with attempt.works.catalog.transaction() as session:
            attempt.hold(session)
            build(attempt.owner_url, attempt.home.role, up_to(str(archive.revision)))
        with inside(attempt.home, patience_seconds=PATIENCE_SECONDS):
            act_as(SYSTEM, request_id="thaw", source=Source.SYSTEM)
            fill_as_it_was(bundle, archive.content or {}, attempt.tell("filling"))
            with attempt.works.catalog.transaction() as session:
                attempt.hold(session)
    attempt.advance(Step.MIGRATING)


def migrate(attempt: Attempt) -> None:
    """What was archived by an older program comes to this one's revision, and gets its rights back."""
    step_tenant(attempt.owner_url, attempt.home.role, lambda since: steps("tenant", since))
    with attempt.works.catalog.transaction() as session:
        attempt.hold(session)
        grant_exactly(attempt.owner_url, attempt.home.role)
        session.get_one(Tenant, attempt.archive.tenant_id).revision = attempt.works.head
        attempt.go_to(session, Step.OPENING)


def open_again(attempt: Attempt) -> None:
    """It is what it was before it was put away, active for most; what ended since a backup was taken ends again."""
    if _came_from_a_backup(attempt):
        Again(ledger(), attempt.home).replay(Endings(ledger()).of(attempt.home.id))
        with inside(attempt.home):
            act_as(SYSTEM, request_id="thaw", source=Source.SYSTEM)
            end_what_is_for_the_moment()
    tenant_id, after = attempt.archive.tenant_id, State(attempt.archive.state_before)
    with attempt.works.catalog.transaction() as session:
        change(session, tenant_id, after, _decision(attempt))
        session.execute(
            delete(LookupHash).where(LookupHash.tenant_id == tenant_id, LookupHash.kind == ADMINS)
        )
        attempt.go_to(session, Step.TIDYING)


def tidy(attempt: Attempt) -> None:
    """The schema says so itself, and the bundle goes: there are never two of it."""
    settle(attempt.works.catalog, attempt.works.owners, attempt.archive.tenant_id)
    _remove_others(attempt, but=None)
    attempt.advance(Step.RETURNED, returned_at=now(), phase=None, done=None, file=None)


STEPS: dict[Step, Callable[[Attempt], None]] = {
    Step.FREEZING: freeze,
    Step.WRITING: write,
    Step.CHECKING: check,
    Step.DROPPING: put_away,
    Step.FILLING: fill,
    Step.MIGRATING: migrate,
    Step.OPENING: open_again,
    Step.TIDYING: tidy,
}


def _sound(bundle: OpenBundle, attempt: Attempt, expected: Mapping[str, str]) -> dict[str, str]:
    """The content of a bundle that holds and is what it should be. Raises Conflict that names the first fault."""
    report = verify_open(bundle, attempt.tell("checking"))
    different = differences(report.content, expected)
    if report.findings or different:
        said = str(report.findings[0]) if report.findings else f"{', '.join(different)} differs."
        raise Conflict(f"The archive does not hold: {said}", code="archive_damaged")
    return report.content


def _remove_others(attempt: Attempt, *, but: str | None) -> None:
    """While the row is held: of who was overtaken, the others may be all that there is of the tenant."""
    with attempt.works.catalog.transaction() as session:
        attempt.hold(session)
        bundles.remove_others(attempt, but=but)


def _came_from_a_backup(attempt: Attempt) -> bool:
    """Whether the installation was restored since it was put away: no ledger reaches into a sealed bundle."""
    since = select(Restoration.id).where(Restoration.opened_at > attempt.archive.kept_at).limit(1)
    with attempt.works.catalog.transaction() as session:
        return session.scalar(since) is not None


def _decision(attempt: Attempt) -> Decision:
    return Decision(Mover.PLATFORM, attempt.archive.reason)


def _holds(attempt: Attempt) -> list[str | None]:
    """The ends of the holds in force. Once it is put away, nobody could see them before it is destroyed."""
    with inside(attempt.home):
        return [None if end is None else end.isoformat() for end in ends_in_force()]


def _note_admins(attempt: Attempt) -> None:
    """Whoever may wake it is known by keyed hashes alone."""
    with inside(attempt.home):
        addresses = admin_addresses()
    with attempt.works.catalog.transaction() as session:
        for each in addresses:
            hashed = hashed_address(attempt.works.wrapper, each)
            session.merge(LookupHash(kind=ADMINS, hash=hashed, tenant_id=attempt.archive.tenant_id))
