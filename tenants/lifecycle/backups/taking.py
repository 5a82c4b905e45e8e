"""Takes a backup: every tenant from a snapshot of its own, then the catalog, read back before it counts."""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from tenants.catalog.models import State, Tenant, TenantKey
from tenants.catalog.registry import LIVING, Catalog, Home
from tenants.foundation.clock import now
from tenants.foundation.encryption import DataKey
from tenants.foundation.errors import Conflict, Refusal
from tenants.isolation.away import Elsewhere
from tenants.isolation.catalog_copying import snapshot_of_catalog
from tenants.isolation.owner import OwnerError
from tenants.isolation.storage import Storage
from tenants.lifecycle.backups.catalog_file import CatalogWriter
from tenants.lifecycle.backups.keyring import DatedKey
from tenants.lifecycle.backups.store import CATALOG, INDEX, Page, Store
from tenants.portability.bundling import Bundling, snapshot
from tenants.portability.comparing import content_here, differences
from tenants.portability.contents import tables
from tenants.portability.formats import Format
from tenants.portability.verifying import verify_open
from tenants.provisioning.revisions import head

#: A tenant that somebody is about to get is nobody's yet.
BACKED_UP = tuple(state for state in LIVING if state is not State.CLAIMED)
#: Tenants that have no file of anybody.
NO_FILES = (State.MAKING, State.SPARE, State.CLAIMED, State.DESTROYED)
TRIES = 5
Told = Callable[[str, int], None]


@dataclass(frozen=True)
class Taken:
    """A backup that was taken, and the tenants that it could not hold, with the reason."""

    page: Page
    left_out: Mapping[str, str]


@dataclass
class Taking:
    """One backup on its way. `told` hears of what is being done and how many rows are."""

    store: Store
    catalog: Catalog
    catalog_url: str
    storage: Storage
    told: Told = field(default=lambda _what, _rows: None)

    def take(self) -> Taken:
        """Take a backup. Raises StorageFailed, KeyWithheld, and BackupDamaged when storage gives back something else."""
        dated, key = self.store.keyring.key_of_today()
        work = _Work(self, dated, key)
        work.tenants()
        work.files()
        work.keep_keys()
        return work.conclude()


class _Work:
    def __init__(self, taking: Taking, dated: DatedKey, key: DataKey) -> None:
        self._store, self._catalog, self._url = taking.store, taking.catalog, taking.catalog_url
        self._storage = taking.storage
        self._told, self._dated, self._key = taking.told, dated, key
        self.taken_at = now()
        self.id = f"{self.taken_at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        self._done: dict[str, dict[str, Any]] = {}
        self._left_out: dict[str, str] = {}
        self._files: dict[str, dict[str, int]] = {}
        self._places: dict[str, str] = {}
        self._rows, self._size = 0, 0
        self._index: dict[str, Any] = {}

    def tenants(self) -> None:
        """Until the catalog's snapshot names no tenant that is not in it: some come and go meanwhile."""
        for _ in range(TRIES):
            for home in self._catalog.homes(*BACKED_UP):
                self._tenant(home)
            living = self._copy_catalog()
            if living <= self._done.keys() | self._left_out.keys():
                for gone in self._done.keys() - living:
                    del self._done[gone]
                return
        raise Conflict("Tenants come and go too quickly for a backup at the moment. Try again.")

    def _tenant(self, home: Home) -> None:
        if str(home.id) in self._done:
            return
        try:
            self._done[str(home.id)] = self._bundle(home)
        except Elsewhere:
            return  # archived, moved or destroyed at this moment: the catalog's next snapshot says which
        except (Refusal, OwnerError) as error:
            if home.state is not State.FENCED:
                raise
            # Its tables may be those of another revision than this program's.
            self._left_out[str(home.id)] = str(error).partition("\n")[0]

    def _bundle(self, home: Home) -> dict[str, Any]:
        before = self._rows

        def tell(_table: str, rows: int) -> None:
            self._told("copying tenants", before + rows)

        made, store = Bundling(Format.CSV, tell, whole=True), self._store_of(home.id)
        with snapshot(home):
            written = store.write(self.id, home.role, self._key, made.pieces())
            content = content_here(lambda _table, _rows: self._told("comparing", before), tables(whole=True))
        self._rows += made.rows
        self._size += written.size
        said = {**asdict(written), "cell": home.cell, "revision": made.about.schema_revision}
        counts = made.counts()
        said["region"] = self._catalog.region_of(home.id)
        said["tables"] = {name: {"rows": counts[name], "content": each} for name, each in content.items()}
        self._read_back(store, home.role, said)
        return said

    def _store_of(self, tenant_id: UUID) -> Store:
        """Where a tenant is kept: its region was said once, so that it is always the same place."""
        place = self._store.place_of(self._catalog.region_of(tenant_id))
        if place is not None:
            self._places[str(tenant_id)] = place
        return self._store.within(place)

    def _read_back(self, store: Store, name: str, said: Mapping[str, Any]) -> None:
        expected = {table: each["content"] for table, each in said["tables"].items()}
        with store.bundle(self.id, name, said) as bundle:
            report = verify_open(bundle, lambda _table, _rows: self._told("reading back", self._rows))
        if report.findings or (different := differences(report.content, expected)):
            fault = str(report.findings[0]) if report.findings else f"{', '.join(different)} differs"
            raise Conflict(f"What storage gave back of {name} is not what was written: {fault}.")

    def _copy_catalog(self) -> set[str]:
        """Write the catalog, and say which tenants it names that have a schema."""
        with snapshot_of_catalog(self._url) as connection:
            writer = CatalogWriter(connection)
            written = self._store.write(self.id, CATALOG, self._key, writer.pieces())
            rows = connection.execute("select id, state from catalog.tenants").fetchall()
        self._index["catalog"] = {**asdict(written), "revision": head("catalog"), "tables": writer.tables}
        with self._store.opened(self.id, CATALOG, asdict(written)) as chunks:
            for _ in chunks:
                self._told("reading back", self._rows)
        return {str(each) for each, state in rows if state in BACKED_UP}

    def files(self) -> None:
        """Of every tenant that is somebody's, wherever its rows are: of an archived one they are among its files."""
        newest = select(TenantKey.tenant_id, func.max(TenantKey.version)).group_by(TenantKey.tenant_id)
        somebodys = newest.join(Tenant).where(Tenant.state.not_in(NO_FILES), TenantKey.wrapped.is_not(None))
        with self._catalog.transaction() as session:
            found = session.execute(somebodys).all()
        for tenant_id, newest_version in found:
            store = self._store_of(tenant_id)
            copied = store.files.copy(self._storage, tenant_id, newest_version, self._told)
            self._files[str(tenant_id)] = copied

    def keep_keys(self) -> None:
        """A backup is worth nothing without the keys of its tenants: their newest copies are there before it counts."""
        self._store.keyring.keep()

    def conclude(self) -> Taken:
        for tenant_id, files in self._files.items():
            if not self._store_of(UUID(tenant_id)).files.has(UUID(tenant_id), files):
                raise Conflict("Files were removed from the backups while this one was taken. Take another.")
        said: dict[str, Any] = {
            "id": self.id,
            "taken_at": self.taken_at.isoformat(),
            "key_day": self._dated.day.isoformat(),
            "key_destroyed_on": self._dated.destroyed_on.isoformat(),
            "program": version("freehold"),
            "tenants": len(self._done),
            "rows": self._rows,
            "files": sum(map(len, self._files.values())),
            "size": self._size,
        }
        index = {
            **self._index,
            "about": said,
            "bundles": self._done,
            "files": self._files,
            "places": self._places,
            "left_out": self._left_out,
        }
        written = self._store.write(self.id, INDEX, self._key, [json.dumps(index).encode()])
        page = Page(**said, index=written.sha256)
        self._store.index(page)
        self._store.conclude(page)
        return Taken(page, self._left_out)
