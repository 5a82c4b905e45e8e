"""Destroys a tenant: its keys first, so that nothing sealed opens in any copy; then its files, its tables, its name.

Every step can be repeated. Whoever is killed leaves a certificate that was begun; the same call goes on from there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from tenants.access.caller import SYSTEM, act_as
from tenants.audit.ledger import Ending, ledger
from tenants.catalog.models import BroughtKey, LookupHash, State, Tenant
from tenants.catalog.registry import PLACE, Home, home_of
from tenants.foundation.errors import Conflict, NotFound
from tenants.foundation.tables import Base, Source
from tenants.isolation.door import inside
from tenants.isolation.owner import as_owner
from tenants.isolation.stepping import drop
from tenants.isolation.storage import Storage
from tenants.lifecycle.archives.models import Step, ThawLink
from tenants.lifecycle.attempts import FORESEEN
from tenants.lifecycle.backups.opening import backups
from tenants.lifecycle.certificates.issuing import WHOLE, certificates
from tenants.lifecycle.changing import Decision, change
from tenants.lifecycle.keys.due import (
    ENDINGS,
    archive_of,
    end_unless_held,
    must_be_ending,
    must_not_be_early,
    must_not_be_held,
)
from tenants.lifecycle.keys.inventory import counted, hashed
from tenants.lifecycle.keys.versions import KeyVersions
from tenants.lifecycle.moves.moving import drop_copies
from tenants.portability.uploading import end_all

log = structlog.get_logger(__name__)
PATIENCE_SECONDS = 600
Keep = Callable[[dict[str, Any]], None]


def _nowhere(_certificate: dict[str, Any]) -> None:
    """The catalog has it."""


@dataclass(frozen=True)
class Destruction:
    """Where it happens: the keys, the storage, and the owner's URL of each cell."""

    versions: KeyVersions
    storage: Storage
    owners: Mapping[str, str | None]

    def destroy(
        self, slug: str, *, decided_by: str, reason: str, exit_is_over: bool = False, keep: Keep = _nowhere
    ) -> dict[str, Any]:
        """Destroy a tenant for good; its signed certificate. `exit_is_over` says that its exit's time was looked at.

        `keep` gets the certificate while the tenant still has its name: when it fails, the same call gives it again.
        Raises NotFound, and Conflict for a tenant that is not closing (an archived one is woken into its exit first, or
        could not be for as long as that lasts), is under a legal hold, or whose exit is not over. Unavailable without
        the owner's URL of its cell, before anything is destroyed.
        """
        catalog = self.versions.catalog
        home = self._found(slug)
        self._must_have_owner(home)
        if home.state is not State.DESTROYED:
            self._end(home, reason, exit_is_over=exit_is_over)
        catalog.forget(home.id)
        ledger().note(Ending.TENANT, home.id)
        _end_uploads(home)
        self.versions.destroy(home.id)
        self._remove_files(home)
        drop(self.owners.get(home.cell), home.role)
        drop_copies(catalog, self.owners, home.id)
        self._forget_pointers(home)
        made = self._certified(home, decided_by=decided_by, reason=reason)
        keep(made)
        with catalog.transaction() as session:
            session.execute(update(Tenant).where(Tenant.id == home.id).values(slug=None, name=None))
        return made

    def _found(self, slug: str) -> Home:
        """Wherever it is, also when it is destroyed but for its name."""
        with self.versions.catalog.transaction() as session:
            row = session.execute(select(*PLACE).where(Tenant.slug == slug)).first()
        if row is None:
            raise NotFound(f"There is no tenant '{slug}'.")
        return home_of(row)

    def _must_have_owner(self, home: Home) -> None:
        """Raises Unavailable, before anything is destroyed, when its tables could not be dropped in the end."""
        with as_owner(self.owners.get(home.cell)):
            return

    def _end(self, home: Home, reason: str, *, exit_is_over: bool) -> None:
        """From here on it counts as destroyed, and there is no way back. Raises Conflict as `destroy` does."""
        catalog = self.versions.catalog
        must_be_ending(home)
        must_not_be_held(catalog, home)
        if not exit_is_over:
            with catalog.transaction() as session:
                must_not_be_early(session, home)
        certificates().begin(home.id, WHOLE, self._inventory(home))
        decision = Decision(ENDINGS[home.state], reason)
        with catalog.transaction() as session:
            session.get(Tenant, home.id, with_for_update=True)
            if not exit_is_over:  # nobody went back on it meanwhile
                must_not_be_early(session, home)
            _end_archive(session, home)
            change(session, home.id, State.DESTROYED, decision)
            end_unless_held(session, home)

    def _inventory(self, home: Home) -> dict[str, Any]:
        """What there is, by class, without a word of what it says: how many, and a hash of the ids."""
        names = sorted(self.storage.for_tenant(home.id).list())
        found: dict[str, Any] = {
            "data_key_versions": self.versions.living(home.id),
            "files": {"count": len(names), "names_sha256": hashed(names)[1]},
        }
        if home.state is State.CLOSING:
            with inside(home, patience_seconds=PATIENCE_SECONDS):
                found["tables"] = {str(table.name): counted(table) for table in Base.metadata.sorted_tables}
        return found

    def _remove_files(self, home: Home) -> None:
        storage = self.storage.for_tenant(home.id)
        for name in list(storage.list()):
            storage.delete(name)
        backups().remove_files_of(home.id, self.versions.catalog.region_of(home.id))

    def _forget_pointers(self, home: Home) -> None:
        """Addresses and keys that led to the tenant."""
        with self.versions.catalog.transaction() as session:
            session.execute(delete(LookupHash).where(LookupHash.tenant_id == home.id))
            session.execute(delete(BroughtKey).where(BroughtKey.tenant_id == home.id))
            session.execute(delete(ThawLink).where(ThawLink.tenant_id == home.id))

    def _tables_left(self, home: Home) -> int:
        with as_owner(self.owners.get(home.cell)) as connection:
            query = "select count(*) from pg_namespace where nspname = %s"
            row = connection.execute(query, [home.role]).fetchone()
        return row[0] if row else 0

    def _certified(self, home: Home, **said: str) -> dict[str, Any]:
        catalog = self.versions.catalog
        verified = {
            "keys_left": len(catalog.wrapped_keys(home.id)),
            "files_left": len(list(self.storage.for_tenant(home.id).list())),
            "tables_left": self._tables_left(home),
        }
        if any(verified.values()):
            raise Conflict("Something of this tenant came back while it was destroyed. Run it again.")
        return certificates().issue(home.id, WHOLE, verified=verified, **said)


def _end_uploads(home: Home) -> None:
    """Parts of a copy that never became one would lie in the tenant's own bucket, unseen and paid for.

    Once its keys are destroyed nobody can say so to its bucket. Whatever is in the way of that, it is destroyed.
    """
    try:
        with inside(home, patience_seconds=PATIENCE_SECONDS):
            act_as(SYSTEM, request_id="destroy", source=Source.SYSTEM)
            end_all()
    except FORESEEN as error:
        log.info("uploads_not_looked_for", tenant=str(home.id), reason=type(error).__name__)


def _end_archive(session: Session, home: Home) -> None:
    """Whoever tries to wake it is overtaken."""
    for archive in session.scalars(archive_of(home).with_for_update()):
        archive.step, archive.attempt, archive.lease_until = Step.KEPT, archive.attempt + 1, None
