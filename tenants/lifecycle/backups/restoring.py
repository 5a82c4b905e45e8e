"""Brings a backup into an empty installation: the catalog, every tenant, then what was erased since, and only then opens.

Until then no tenant is in a state that anything serves, and the catalog says that it is being restored. Killed at any
instruction, the same command begins anew.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update

from tenants.access.caller import SYSTEM, act_as
from tenants.audit.ledger import Ledger
from tenants.audit.models import AuditSeal
from tenants.audit.recording import record_event
from tenants.catalog.models import AuditHead, CatalogBase, Restoration, State, Tenant
from tenants.catalog.regions import Regions
from tenants.catalog.registry import Catalog, Home, role_of
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict
from tenants.foundation.identifiers import new_id
from tenants.foundation.tables import Source
from tenants.identity.models import TenantProfile
from tenants.isolation import catalog_copying as copying
from tenants.isolation.catalog_copying import Connection
from tenants.isolation.door import db, inside
from tenants.isolation.owner import as_owner, run_all
from tenants.isolation.places import Places
from tenants.isolation.roles import death
from tenants.isolation.stepping import build, grant_exactly, step_tenant
from tenants.isolation.storage import Storage
from tenants.lifecycle.backups.again import Replayed
from tenants.lifecycle.backups.agreeing import agree, remove_nobodys
from tenants.lifecycle.backups.beforehand import must_be_empty, must_fit
from tenants.lifecycle.backups.catalog_file import MARKS, content_of_catalog, fill_catalog
from tenants.lifecycle.backups.doors import end_staffs_for_the_moment, end_what_is_for_the_moment
from tenants.lifecycle.backups.keys_back import keys_may_wait, put_keys_back
from tenants.lifecycle.backups.newer_archives import have_tidied
from tenants.lifecycle.backups.replaying import Replaying
from tenants.lifecycle.backups.store import CATALOG, Page, Store, place_in
from tenants.lifecycle.changing import SAID_INSIDE, Owners
from tenants.portability.bundling import PATIENCE_SECONDS
from tenants.portability.comparing import content_here
from tenants.portability.filling import Filling
from tenants.portability.returning import tables_of
from tenants.provisioning.revisions import head, steps, up_to

Told = Callable[[str, int], None]


@dataclass(frozen=True)
class Compared:
    """One table of one tenant (or of the catalog): its rows as recorded with the backup and as they are now."""

    owner: str
    table: str
    rows: int
    equal: bool


@dataclass(frozen=True)
class Restored:
    """What came back, table by table, and what was replayed over it; `newer_archives` are about to be removed."""

    page: Page
    compared: tuple[Compared, ...]
    replayed: Replayed
    files: int = 0
    newer_archives: int = 0

    @property
    def equal(self) -> bool:
        return all(each.equal for each in self.compared)


class CameBackUnequal(Conflict):
    """Some table is not what was recorded with the backup."""

    code = "came_back_unequal"

    def __init__(self, restored: Restored) -> None:
        self.restored = restored
        different = [f"{each.table} of {each.owner}" for each in restored.compared if not each.equal]
        super().__init__(f"What came back is not what was put away, in {', '.join(different)}.")


@dataclass
class Restoring:
    """One backup on its way in. `told` hears what is done and how many rows are.

    Files that are missing in `storage` are brought back there, and `places` become this installation's. A trial has
    neither: it reads, and writes nowhere.
    """

    store: Store
    ledger: Ledger
    catalog: Catalog
    owners: Owners
    regions: Regions
    replaying: Replaying
    storage: Storage | None
    places: Places | None
    told: Told = field(default=lambda _what, _rows: None)
    _compared: list[Compared] = field(default_factory=list)
    _rows: int = 0
    _files: int = 0

    def restore(self, backup: str, region: str | None = None, *, adopt: bool = False) -> Restored:
        """Bring it in, replay, and open; of what lies in a region's place alone, it is for trial: the others are missing.

        Raises AnothersPlace unless it is to `adopt` places; Conflict when this installation is not empty or something
        came back unequal; BackupDamaged, KeyDestroyed, LedgerBroken, Unavailable. Nothing is served then; run it again.
        """
        page = self.store.page(backup)
        index = self.store.index(page)
        if region is not None:
            index = self.store.part(index, region)
        self._must_be_possible(index)
        if self.places is not None:
            self._take_places(self.places, adopt=adopt)
        states = self._fill_catalog(page, index)
        for tenant_id, said in index["bundles"].items():
            store = self.store.within(place_in(index, tenant_id))
            self._tenant(store, page, UUID(tenant_id), said)
        self._bring_back_files(index)
        restored = Restored(page, tuple(self._compared), Replayed())
        if not restored.equal:
            raise CameBackUnequal(restored)
        replayed = self.replaying.replay()
        self._note(page, index, states)
        newer = 0
        if self.storage is not None:
            newer = have_tidied(self.catalog, self.storage, self._living(index), states)
        self._open(states, replayed)
        return Restored(page, tuple(self._compared), replayed, self._files, newer)

    def _must_be_possible(self, index: Mapping[str, Any]) -> None:
        """All that can be known before anything is changed."""
        must_fit(index, self.store, self.owners, self.regions)
        must_be_empty(self.catalog)
        for _ in self.ledger.entries():
            pass  # an entry that is broken says so when it is read

    def _take_places(self, places: Places, *, adopt: bool) -> None:
        """Before the first file: one that lives would lose newer archives, and write into one ledger with us."""
        if not adopt:
            places.must_be_free()
        places.adopt()

    def _bring_back_files(self, index: Mapping[str, Any]) -> None:
        if self.storage is None:
            return
        for tenant_id, files in index["files"].items():
            its = self.store.within(place_in(index, tenant_id)).files
            self._files += its.bring_back(self.storage, UUID(tenant_id), files, self.told)

    def _fill_catalog(self, page: Page, index: Mapping[str, Any]) -> dict[UUID, str]:
        """The catalog as it was, its tenants in a state that nobody serves; the states that they come back to."""
        self._drop_schemas()
        said = index["catalog"]
        with copying.filling_catalog(self.owners.get("main")) as connection:
            names = (str(each.name) for each in CatalogBase.metadata.sorted_tables)
            copying.empty_tables(connection, [each for each in names if each != MARKS])
            with keys_may_wait(connection):
                with self.store.opened(page.id, CATALOG, said) as chunks:
                    fill_catalog(connection, chunks)
                self._compare_catalog(connection, said["tables"])
                put_keys_back(connection, self.store.keyring)
            remove_nobodys(connection)
            agree(connection, {UUID(each): its["cell"] for each, its in index["bundles"].items()})
            states = dict(connection.execute("select id, state from catalog.tenants").fetchall())
            connection.execute(
                "update catalog.tenants set state = %s where state <> %s", [State.THAWING, State.DESTROYED]
            )
            row = {"id": new_id(), "backup": page.id, "taken_at": datetime.fromisoformat(page.taken_at)}
            copying.put_into(connection, "restorations", {**row, "begun_at": now()})
        return states

    def _drop_schemas(self) -> None:
        """Spares of the empty installation, and what an attempt that was killed had made.

        In a cell without an owner here nothing was made: nobody who is in the backup lives there.
        """
        with self.catalog.transaction() as session:
            found = session.execute(select(Tenant.id, Tenant.cell)).all()
        for tenant_id, cell in found:
            if (owner := self.owners.get(cell)) is None:
                continue
            with as_owner(owner) as connection:
                run_all(connection, death(role_of(tenant_id)))

    def _compare_catalog(self, connection: Connection, expected: Mapping[str, Any]) -> None:
        found = content_of_catalog(connection, expected)
        for table, said in expected.items():
            equal = found.get(table) == said
            self._compared.append(Compared("the catalog", table, said["rows"], equal))

    def _tenant(self, store: Store, page: Page, tenant_id: UUID, said: Mapping[str, Any]) -> None:
        home, owner_url = Home(tenant_id, said["cell"]), self.owners.get(said["cell"])
        before = self._rows
        with store.bundle(page.id, home.role, said) as bundle:
            build(owner_url, home.role, up_to(said["revision"]))
            these = tables_of(bundle.described)
            with inside(home, patience_seconds=PATIENCE_SECONDS):
                act_as(SYSTEM, request_id="restore", source=Source.SYSTEM)
                Filling(bundle, home.id, {}, self._tell("filling", before), these).fill()
                content = content_here(self._tell("comparing", before), these)
        for table, each in said["tables"].items():
            equal = content.get(table) == each["content"]
            self._compared.append(Compared(str(tenant_id), table, each["rows"], equal))
            self._rows += each["rows"]
        step_tenant(owner_url, home.role, lambda since: steps("tenant", since))
        grant_exactly(owner_url, home.role)
        with self.catalog.transaction() as session:
            session.execute(update(Tenant).where(Tenant.id == tenant_id).values(revision=head()))

    def _note(self, page: Page, index: Mapping[str, Any], states: Mapping[UUID, str]) -> None:
        """Each tenant can read in its audit log that it came back, and as of when; its schema says its state.

        The catalog was copied after the tenants: heads of seals that came in between are of no seal here.
        """
        for home in self._living(index):
            with inside(home):
                act_as(SYSTEM, request_id="restore", source=Source.SYSTEM)
                last = db().scalar(select(func.max(AuditSeal.sequence))) or 0
                later = delete(AuditHead).where(AuditHead.tenant_id == home.id, AuditHead.sequence > last)
                with self.catalog.transaction() as session:
                    session.execute(later)
                if states[home.id] in SAID_INSIDE:
                    db().execute(update(TenantProfile).values(state=states[home.id]))
                end_what_is_for_the_moment()
                record_event(
                    "tenant.restored_from_backup", "tenant", home.id, {"as_of": [None, page.taken_at]}
                )

    def _living(self, index: Mapping[str, Any]) -> Iterator[Home]:
        with self.catalog.transaction() as session:
            gone = set(session.scalars(select(Tenant.id).where(Tenant.state == State.DESTROYED)))
        for tenant_id, said in index["bundles"].items():
            if UUID(tenant_id) not in gone:
                yield Home(UUID(tenant_id), said["cell"])

    def _open(self, states: Mapping[UUID, str], replayed: Replayed) -> None:
        """From this commit on tenants are served, all of them at once."""
        with self.catalog.transaction() as session:
            for tenant in session.scalars(select(Tenant).where(Tenant.state == State.THAWING)):
                tenant.state = states[tenant.id]
            end_staffs_for_the_moment(session)
            done = update(Restoration).where(Restoration.opened_at.is_(None))
            session.execute(done.values(opened_at=now(), found=replayed.said()))

    def _tell(self, what: str, before: int) -> Told:
        return lambda _table, rows: self.told(what, before + rows)
