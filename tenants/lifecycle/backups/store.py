"""Backups where they are kept: files sealed under a dated key, and a page in clear that is written last.

A backup without that page is none: whoever was killed while making it left nothing that is ever listed.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from tenants.foundation.encryption import Context, DataKey
from tenants.foundation.errors import NotFound
from tenants.foundation.sealed_spools import sealed_spool
from tenants.foundation.sealed_streams import seal_stream, unseal_stream
from tenants.isolation.storage import NotStored, Place, StorageFailed
from tenants.lifecycle.backups.faults import BackupDamaged
from tenants.lifecycle.backups.keyring import INSTALLATION_ID, Keyring, version_of
from tenants.lifecycle.backups.measuring import Measured, checked
from tenants.lifecycle.backups.mirror import Mirror
from tenants.portability.opening import NotABundle, OpenBundle, bundle_in

FOLDER = "taken/"
PAGE, INDEX, CATALOG = "backup.json", "index", "catalog"
#: The page once more, in the place of each region that has a part of the backup.
PART = "part.json"
FORM = "freehold backup 1"


@dataclass(frozen=True)
class Page:
    """What a backup says of itself in clear: nothing about anybody. `index` is the SHA-256 of its sealed index."""

    id: str
    taken_at: str
    key_day: str
    key_destroyed_on: str
    program: str
    tenants: int
    rows: int
    files: int
    size: int
    index: str
    form: str = FORM


@dataclass(frozen=True)
class WrittenFile:
    """A sealed file as it was written: its size and SHA-256."""

    size: int
    sha256: str


class Store:
    """All backups in one place, tenants' files beside them, and the keys that open them."""

    def __init__(self, place: Place, keyring: Keyring) -> None:
        self.place, self.keyring = place, keyring
        self.files = Mirror(place, keyring.tenants_keys())

    def place_of(self, _region: str | None, /) -> str | None:
        """The name of the place in which a tenant of this region is kept; None for the one of all."""
        return None

    def within(self, place: str | None, /) -> "Store":
        """The store of a place that backups name. Raises StorageFailed when there is none here."""
        if place is not None:
            raise no_place(place)
        return self

    def places(self) -> "Iterator[tuple[str | None, Store]]":
        """Every place there is, by name."""
        yield None, self

    def write(self, backup: str, name: str, key: DataKey, chunks: Iterable[bytes]) -> WrittenFile:
        """Write one file, sealed for its name in this backup. Raises StorageFailed; nothing of it is left then."""
        measured = Measured(seal_stream(key, chunks, _context(backup, name)))
        self.place.write(_key(backup, name), measured)
        return WrittenFile(measured.size, measured.hash.hexdigest())

    @contextmanager
    def opened(self, backup: str, name: str, expected: Mapping[str, Any]) -> Iterator[Iterator[bytes]]:
        """A file in chunks. Raises BackupDamaged, also after good chunks: they count once the stream has ended."""
        place = _key(backup, name)
        try:
            with self.place.open_stream(place) as chunks:
                measured = Measured(chunks)
                yield checked(
                    place,
                    unseal_stream(self.keyring.opened, measured, _context(backup, name)),
                    measured,
                    expected,
                )
        except NotStored:
            raise BackupDamaged(f"{place} is missing from storage.") from None

    @contextmanager
    def bundle(self, backup: str, name: str, expected: Mapping[str, Any]) -> Iterator[OpenBundle]:
        """A tenant's bundle, sealed in a file without a name that is gone with this process.

        Raises BackupDamaged, and Unavailable when the disk of this machine is full.
        """
        with sealed_spool() as file:
            with self.opened(backup, name, expected) as chunks:
                for chunk in chunks:
                    file.write(chunk)
            try:
                with bundle_in(file) as bundle:
                    yield bundle
            except NotABundle as error:
                raise BackupDamaged(f"{_key(backup, name)}: {error}") from error

    def conclude(self, page: Page) -> None:
        """From now on it is a backup."""
        self.say(page, PAGE)

    def say(self, page: Page, name: str) -> None:
        """Write a page under this name."""
        content = json.dumps(asdict(page), indent=2).encode() + b"\n"
        self.place.write(_key(page.id, name), [content])

    def pages(self, name: str = PAGE) -> list[Page]:
        """Every finished backup, oldest first."""
        names = [each for each in self.place.list(FOLDER) if each.endswith(f"/{name}")]
        return sorted((self._page(each, name) for each in names), key=lambda each: each.taken_at)

    def parts_alone(self) -> list[Page]:
        """Finished backups of which a region has its part, and the main place knows nothing."""
        return []

    def page(self, backup: str) -> Page:
        """Raises NotFound, also for one that was never finished."""
        name = _key(backup, PAGE)
        if not any(name == each for each in self.place.list(f"{FOLDER}{backup}/")):
            raise NotFound(f"There is no backup '{backup}'. `freehold backup list` shows those there are.")
        return self._page(name)

    def newest(self) -> Page:
        """The newest that can be read. Raises NotFound."""
        pages = [each for each in self.pages() if self.readable(each)]
        if not pages:
            raise NotFound("There is no backup that can be read.")
        return pages[-1]

    def index(self, page: Page) -> dict[str, Any]:
        """All that a backup says of itself, of which the page repeats some. Raises BackupDamaged, KeyDestroyed."""
        with self.opened(page.id, INDEX, {"sha256": page.index}) as chunks:
            found: dict[str, Any] = json.loads(b"".join(chunks))
        about = found.get("about", {})
        if {name: value for name, value in asdict(page).items() if name not in ("index", "form")} != about:
            raise BackupDamaged(f"{_key(page.id, PAGE)} was changed after it was written.")
        return found

    def part(self, index: Mapping[str, Any], region: str) -> dict[str, Any]:
        """Of an index, what lies in the place of a region. Raises StorageFailed when there is none here."""
        place = self.place_of(region)
        mine = {
            name: {each: its for each, its in index[name].items() if place_in(index, each) == place}
            for name in ("bundles", "files")
        }
        return {**index, **mine}

    def readable(self, page: Page) -> bool:
        """Whether its dated key is still there."""
        day = datetime.fromisoformat(page.key_day).date()
        return any(each.version == version_of(day) for each in self.keyring.dated())

    def remove(self, backup: str) -> None:
        """Remove every file of a backup, the page first: what is half removed is no backup any more."""
        names = list(self.place.list(f"{FOLDER}{backup}/"))
        for name in sorted(names, key=lambda each: not each.endswith(f"/{PAGE}")):
            self.place.delete(name)

    def folders(self) -> set[str]:
        """The ids of all backups, finished or not."""
        return {name.removeprefix(FOLDER).split("/")[0] for name in self.place.list(FOLDER)}

    def _page(self, key: str, name: str = PAGE) -> Page:
        with self.place.open_stream(key) as chunks:
            content = b"".join(chunks)
        try:
            found = Page(**json.loads(content))
        except (ValueError, TypeError):
            raise BackupDamaged(f"{key} does not describe a backup.") from None
        if _key(found.id, name) != key:
            raise BackupDamaged(f"{key} is the page of another backup.")
        return found


def place_in(index: Mapping[str, Any], tenant_id: str) -> str | None:
    """The place that a backup has of a tenant, rows and files; older backups have all in the one."""
    place: str | None = index.get("places", {}).get(tenant_id)
    return place


def no_place(region: str) -> StorageFailed:
    return StorageFailed(f"There is no place for backups of {region!r}: name one in FREEHOLD_REGION_BACKUPS.")


def _context(backup: str, name: str) -> Context:
    return Context(INSTALLATION_ID, "backups", "content", f"{backup}/{name}")


def _key(backup: str, name: str) -> str:
    return f"{FOLDER}{backup}/{name}"
