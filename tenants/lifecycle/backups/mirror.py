"""Tenants' files beside the backups: each copied once, as it is sealed under its tenant's key, and named by backups.

A file is never changed under one name and version of the key, so that what is there already is not copied again.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from tenants.foundation.encryption import DataKey, Unreadable
from tenants.foundation.sealed_streams import unseal_stream
from tenants.isolation.files import place_of
from tenants.isolation.keys import KeyDestroyed, KeyRing, KeyWithheld
from tenants.isolation.resealing import file_version
from tenants.isolation.storage import NotStored, Place, Storage, TenantStorage
from tenants.lifecycle.backups.faults import BackupDamaged

FOLDER = "files/"
#: Made anew whenever somebody wants one, and kept for some days only.
NOT_COPIED = ("exports/",)
#: The names of a tenant's files, each with the version of the key that it is sealed with.
Files = Mapping[str, int]
Told = Callable[[str, int], None]


@dataclass(frozen=True)
class Mirror:
    """The copies in one place. `keys` opens what is to be checked."""

    place: Place
    keys: KeyRing

    def copy(self, storage: Storage, tenant_id: UUID, current: int, told: Told) -> dict[str, int]:
        """Copy what is not there yet; `current` is the version of the key in force. Raises StorageFailed."""
        mine = storage.for_tenant(tenant_id)
        there = set(self.place.list(_folder(tenant_id)))
        found: dict[str, int] = {}
        for name in mine.list():
            if name.startswith(NOT_COPIED):
                continue
            told("copying files", len(found))
            version: int | None = current
            if _key(tenant_id, current, name) not in there:
                version = file_version(mine, name)
            if version is None:
                continue  # removed at this moment
            key = _key(tenant_id, version, name)
            if key not in there and not self._copy_one(mine, name, key):
                continue
            found[name] = version
        return found

    def has(self, tenant_id: UUID, files: Files) -> bool:
        """Whether all of these copies are there."""
        wanted = {_key(tenant_id, version, name) for name, version in files.items()}
        return wanted <= set(self.place.list(_folder(tenant_id)))

    def check(self, tenant_id: UUID, files: Files, told: Told) -> int:
        """Read copies to their ends; how many opened. Raises BackupDamaged that names the first that is not whole.

        What is sealed with a key that is destroyed or withheld can't be looked at.
        """
        checked = 0
        for name, version in files.items():
            told("checking files", checked)
            try:
                data_key = self.keys.version(tenant_id, version)
            except (KeyDestroyed, KeyWithheld):
                continue
            self._check_one(tenant_id, name, data_key)
            checked += 1
        return checked

    def bring_back(self, storage: Storage, tenant_id: UUID, files: Files, told: Told) -> int:
        """Put copies where files are, unless the files are there still; how many. Raises BackupDamaged.

        What nothing opens any more stays away: its tenant, or that version of its key, was destroyed.
        """
        mine, brought = storage.for_tenant(tenant_id), 0
        there, destroyed = set(mine.list()), self._destroyed(tenant_id, set(files.values()))
        missing = {
            name: version for name, version in files.items() if name not in there and version not in destroyed
        }
        self.check(tenant_id, missing, told)
        for name, version in missing.items():
            with self._opened(_key(tenant_id, version, name)) as chunks:
                mine.write(name, chunks)
            brought += 1
            told("bringing files back", brought)
        return brought

    def remove_tenant(self, tenant_id: UUID) -> None:
        """Remove every copy of a tenant that is no more. Run again, it goes on."""
        for key in list(self.place.list(_folder(tenant_id))):
            self.place.delete(key)

    def remove_but(self, wanted: Iterable[tuple[UUID, Files]]) -> int:
        """Remove copies that none of these names; how many."""
        named = {_key(each, version, name) for each, files in wanted for name, version in files.items()}
        over = [key for key in self.place.list(FOLDER) if key not in named]
        for key in over:
            self.place.delete(key)
        return len(over)

    def _copy_one(self, mine: TenantStorage, name: str, key: str) -> bool:
        """Whether it was still there. It is read back, and must be what was read before."""
        said = hashlib.sha256()

        def passed_on(chunks: Iterator[bytes]) -> Iterator[bytes]:
            for chunk in chunks:
                said.update(chunk)
                yield chunk

        try:
            with mine.open_stream(name) as chunks:
                self.place.write(key, passed_on(chunks))
        except NotStored:
            return False
        back = hashlib.sha256()
        with self._opened(key) as chunks:
            for chunk in chunks:
                back.update(chunk)
        if back.digest() != said.digest():
            self.place.delete(key)
            raise BackupDamaged(f"What storage gave back of {key} is not what was written.")
        return True

    def _destroyed(self, tenant_id: UUID, versions: set[int]) -> set[int]:
        found = set()
        for version in versions:
            try:
                self.keys.version(tenant_id, version)
            except KeyDestroyed:
                found.add(version)
            except KeyWithheld:
                continue  # it opens again when whoever holds the key says so
        return found

    def _check_one(self, tenant_id: UUID, name: str, data_key: DataKey) -> None:
        key = _key(tenant_id, data_key.version, name)
        with self._opened(key) as chunks:
            try:
                for _ in unseal_stream(lambda _version: data_key, chunks, place_of(tenant_id, name)):
                    continue
            except Unreadable:
                raise BackupDamaged(f"{key} was changed or cut short: its seal is broken.") from None

    @contextmanager
    def _opened(self, key: str) -> Iterator[Iterator[bytes]]:
        try:
            with self.place.open_stream(key) as chunks:
                yield chunks
        except NotStored:
            raise BackupDamaged(f"{key} is missing from storage.") from None


def _folder(tenant_id: UUID) -> str:
    return f"{FOLDER}{tenant_id.hex}/"


def _key(tenant_id: UUID, version: int, name: str) -> str:
    return f"{_folder(tenant_id)}{version}/{name}"
