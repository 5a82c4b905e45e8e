"""Keys that no backup holds: the dated keys that backups are sealed under, and the newest copy of tenants' wrapped keys.

Whatever is destroyed here is destroyed for every backup there is. Each key is wrapped by the key of keys.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from tenants.catalog.models import TenantKey
from tenants.catalog.registry import Catalog
from tenants.foundation.clock import now
from tenants.foundation.encryption import DataKey, new_key_material
from tenants.isolation.keys import KeyDestroyed, KeyName, KeyRing
from tenants.isolation.storage import NotStored, Place
from tenants.isolation.wrapping import Wrapping

DATED, DESTROYED, TENANTS = "dated/", "destroyed/", "tenants/"
#: Backups are no tenant's; this stands for the installation where a tenant's id would.
INSTALLATION_ID = UUID(int=3)
DIGEST_DIGITS = 16


@dataclass(frozen=True)
class DatedKey:
    """The backup key of one day, and the day on which it is destroyed."""

    day: date
    destroyed_on: date
    wrapped: bytes

    @property
    def version(self) -> int:
        """2026-11-23 as 20261123: what is sealed with it says so itself."""
        return version_of(self.day)

    @property
    def name(self) -> KeyName:
        return KeyName(INSTALLATION_ID, self.version)


class Keyring:
    """The keys in a place apart from the backups; `days` is how long a dated key lives from its day on."""

    def __init__(
        self,
        place: Place,
        catalog: Catalog,
        wrapping: Wrapping,
        days: int,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._place, self._catalog, self._wrapping = place, catalog, wrapping
        self._days, self._clock = days, clock

    @property
    def today(self) -> date:
        return self._clock().astimezone(UTC).date()

    def key_of_today(self) -> tuple[DatedKey, DataKey]:
        """Today's backup key, made when it is first needed. Raises KeyWithheld, StorageFailed."""
        with self._catalog.alone("backup keys"):
            made = self._dated(self.today) or self._make(self.today)
        return made, self._opened(made)

    def dated(self) -> list[DatedKey]:
        """The dated keys that were not destroyed yet, oldest first."""
        days = (date.fromisoformat(name.removeprefix(DATED)) for name in self._place.list(DATED))
        return [each for day in sorted(days) if (each := self._dated(day))]

    def opened(self, version: int) -> DataKey:
        """The backup key of a day. Raises KeyDestroyed, KeyWithheld, and Unreadable for another key of keys."""
        day = date(version // 10_000, version // 100 % 100, version % 100)
        found = self._dated(day)
        if found is None:
            raise KeyDestroyed(
                f"The backup key of {day} is not in the keyring{self._when_destroyed(day)}: nothing opens this backup."
            )
        return self._opened(found)

    def destroy_due(self) -> list[date]:
        """Destroy every dated key whose day has come; the days that they were of. Run again, it goes on."""
        with self._catalog.alone("backup keys"):
            due = [each.day for each in self.dated() if each.destroyed_on <= self.today]
            for day in due:
                said = {"day": day.isoformat(), "destroyed_at": self._clock().isoformat()}
                self._place.write(f"{DESTROYED}{day}", [json.dumps(said).encode()])
                self._place.delete(f"{DATED}{day}")
        return due

    def is_destroyed(self, day: str) -> bool:
        """Whether the keyring says that it destroyed the backup key of a day."""
        return self._place.exists(f"{DESTROYED}{day}")

    def last_end(self) -> date:
        """The day on which the last of the backup keys there are is destroyed; today when there is none."""
        return max((each.destroyed_on for each in self.dated()), default=self.today)

    def keep(self) -> int:
        """Make the copies those of the catalog's keys as they are wrapped today; how many were missing.

        Copies of versions that the catalog destroyed go. Those of tenants that it doesn't know stay: it may be another
        catalog than the one that was lost.
        """
        there = set(self._place.list(TENANTS))
        query = select(TenantKey.tenant_id, TenantKey.version, TenantKey.wrapped)
        missing, destroyed = [], set()
        with self._catalog.transaction() as session:
            for tenant_id, version, wrapped in session.execute(query):
                if wrapped is None:
                    destroyed.add(_folder_of(tenant_id, version))
                elif _place_of(tenant_id, version, wrapped) not in there:
                    missing.append((tenant_id, version))
        for each in missing:
            self._keep_one(*each)
        self._remove(name for name in there if f"{name.rpartition('/')[0]}/" in destroyed)
        return len(missing)

    def forget(self, tenant_id: UUID, versions: Iterable[int]) -> None:
        """Destroy the copies of these versions; the catalog has to have destroyed them before."""
        folders = tuple(_folder_of(tenant_id, version) for version in versions)
        with self._catalog.alone(f"keyring {tenant_id}"):
            self._remove(name for name in self._names_of(tenant_id) if name.startswith(folders))

    def wrapped_keys(self, tenant_id: UUID) -> dict[int, bytes]:
        """The wrapped versions of a tenant's key. Of a version that was wrapped twice, the copy that opens is given."""
        found: dict[int, bytes] = {}
        for name in self._names_of(tenant_id):
            version = int(name.split("/")[2])
            content = self._content(name)
            if version not in found or self._wrapping.opens(content, KeyName(tenant_id, version)):
                found[version] = content
        return found

    def tenants_keys(self) -> KeyRing:
        """Opens tenants' data keys as they are here, without any catalog."""
        return KeyRing(self._wrapping, lambda tenant_id: sorted(self.wrapped_keys(tenant_id).items()))

    def rewrap(self) -> int:
        """Wrap the dated keys with the key of keys of today; how many were wrapped again. Raises KeyWithheld."""
        self.keep()
        done = 0
        with self._catalog.alone("backup keys"):
            for each in self.dated():
                if (again := self._wrapping.rewrapped(each.wrapped, each.name)) is not None:
                    self._write(DatedKey(each.day, each.destroyed_on, again))
                    done += 1
        return done

    def _make(self, day: date) -> DatedKey:
        name = KeyName(INSTALLATION_ID, version_of(day))
        wrapped = self._wrapping.current.wrap(new_key_material(), name)
        made = DatedKey(day, day + timedelta(days=self._days), wrapped)
        self._write(made)
        return made

    def _write(self, key: DatedKey) -> None:
        said = {
            "day": key.day.isoformat(),
            "destroyed_on": key.destroyed_on.isoformat(),
            "wrapped": base64.b64encode(key.wrapped).decode(),
        }
        self._place.write(f"{DATED}{key.day}", [json.dumps(said).encode()])

    def _dated(self, day: date) -> DatedKey | None:
        try:
            said = json.loads(self._content(f"{DATED}{day}"))
        except NotStored:
            return None
        return DatedKey(day, date.fromisoformat(said["destroyed_on"]), base64.b64decode(said["wrapped"]))

    def _opened(self, key: DatedKey) -> DataKey:
        return DataKey(key.version, self._wrapping.unwrapped_by_house(key.wrapped, key.name))

    def _when_destroyed(self, day: date) -> str:
        try:
            said = json.loads(self._content(f"{DESTROYED}{day}"))
        except NotStored:
            return ""
        return f" any more, since {said['destroyed_at'][:10]}"

    def _keep_one(self, tenant_id: UUID, version: int) -> None:
        """Read again while nobody destroys it: a key that went meanwhile must not come back by this copy."""
        with self._catalog.alone(f"keyring {tenant_id}") as session:
            key = session.get(TenantKey, (tenant_id, version))
            if key is None or key.wrapped is None:
                return
            name = _place_of(tenant_id, version, key.wrapped)
            self._place.write(name, [key.wrapped])
            folder = _folder_of(tenant_id, version)
            self._remove(
                each for each in self._names_of(tenant_id) if each.startswith(folder) and each != name
            )

    def _names_of(self, tenant_id: UUID) -> list[str]:
        return list(self._place.list(f"{TENANTS}{tenant_id.hex}/"))

    def _remove(self, names: Iterator[str]) -> None:
        for name in names:
            self._place.delete(name)

    def _content(self, name: str) -> bytes:
        with self._place.open_stream(name) as chunks:
            return b"".join(chunks)


def version_of(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


def _folder_of(tenant_id: UUID, version: int) -> str:
    return f"{TENANTS}{tenant_id.hex}/{version}/"


def _place_of(tenant_id: UUID, version: int, wrapped: bytes) -> str:
    """A copy's name says how it is wrapped, so that it is seen at once when that has changed."""
    return f"{_folder_of(tenant_id, version)}{hashlib.sha256(wrapped).hexdigest()[:DIGEST_DIGITS]}"


_keyring: list[Keyring] = []


def use_keyring(made: Keyring) -> None:
    """Say once, at start-up, where keys are kept apart from backups."""
    _keyring[:] = [made]


def keyring() -> Keyring:
    """The keyring of this process."""
    return _keyring[0]
