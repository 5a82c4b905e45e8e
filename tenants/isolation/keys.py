"""Each tenant's data keys: wrapped where they are kept, open in memory for a minute at most."""

import os
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from tenants.foundation.encryption import DataKey, Unreadable
from tenants.foundation.errors import Gone, Unavailable

LIFETIME_SECONDS = 60.0
CAPACITY = 1000
#: Whoever refused to open a key is not asked for it again at once.
ASK_AGAIN_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class KeyName:
    """Which key it is; a wrapped key opens under its own name only."""

    tenant_id: UUID
    version: int


class KeyWrapper(Protocol):
    """Something that holds the key of keys, and opens with it what it closed before."""

    def wrap(self, key: bytes, name: KeyName) -> bytes: ...

    def unwrap(self, wrapped: bytes, name: KeyName) -> bytes:
        """The key, or `KeyWithheld`, or `KeyUnopened` (`Unreadable` where nothing shows why)."""
        ...

    def hashed(self, value: str, purpose: str) -> bytes:
        """A keyed hash for the catalog's look-ups."""
        ...


DESTROYED = "The key of this tenant was destroyed, and with it everything that was sealed with it."


class KeyDestroyed(Gone):
    """The key is gone, and with it everything that was sealed with it."""

    code = "key_destroyed"


class KeyWithheld(Unavailable):
    """Whoever holds the key of keys does not let us use it at the moment; `args` say more to the operator.

    Its codes: key_disabled, key_pending_deletion, key_access_denied, key_not_found, key_unsuitable, key_unusable,
    key_unreachable.
    """

    def __init__(self, detail: str, *, code: str, message: str = "") -> None:
        super().__init__(detail, code=code)
        self.args = (message or detail,)

    def again(self) -> "KeyWithheld":
        """The same refusal, for somebody else who asks."""
        return KeyWithheld(self.detail, code=self.stable_code, message=str(self.args[0]))


class KeyUnopened(Unavailable):
    """The key of keys in use does not open a wrapped key: of what is sealed with that one, nothing is known.

    Its codes: other_key, key_altered.
    """

    code = "other_key"


@dataclass(slots=True)
class _Keys:
    """What is known about one tenant's keys until `expires`; a version is opened when first asked for."""

    expires: float
    wrapped: Mapping[int, bytes] = field(repr=False)
    opened: dict[int, DataKey] = field(default_factory=dict)
    withheld: dict[int, tuple[float, KeyWithheld]] = field(default_factory=dict)


class KeyRing:
    """Opens tenants' data keys and keeps them for a minute, so that a destroyed key is soon gone everywhere.

    `load` reads the wrapped keys of a tenant, each with its version; none means that they were destroyed.
    """

    _kept: OrderedDict[UUID, _Keys]
    _sweeper: threading.Timer | None

    def __init__(
        self,
        wrapper: KeyWrapper,
        load: Callable[[UUID], list[tuple[int, bytes]]],
        *,
        clock: Callable[[], float] = time.monotonic,
        lifetime: float = LIFETIME_SECONDS,
        capacity: int = CAPACITY,
    ) -> None:
        self._wrapper, self._load, self._clock = wrapper, load, clock
        self._lifetime, self._capacity = lifetime, capacity
        self._start_empty()
        # A forked child starts without keys, and never with a lock that a lost thread was holding.
        start_empty = weakref.WeakMethod(self._start_empty)
        os.register_at_fork(after_in_child=lambda: (method := start_empty()) and method())

    def __repr__(self) -> str:
        return f"KeyRing({len(self._kept)} tenants)"

    def current(self, tenant_id: UUID, *, at_least: int = 0) -> DataKey:
        """The key to seal with: the newest. `at_least` is a version that is known to be there by now."""
        keys = self._keys_of(tenant_id)
        if max(keys.wrapped) < at_least:
            self.forget(tenant_id)
            keys = self._keys_of(tenant_id)
        return self._opened(tenant_id, keys, max(keys.wrapped))

    def version(self, tenant_id: UUID, version: int) -> DataKey:
        """The key that something was sealed with."""
        keys = self._keys_of(tenant_id)
        if version not in keys.wrapped:
            # Another process may have added a version since we looked.
            self.forget(tenant_id)
            keys = self._keys_of(tenant_id)
        if version not in keys.wrapped:
            raise KeyDestroyed(DESTROYED)
        return self._opened(tenant_id, keys, version)

    def forget(self, tenant_id: UUID) -> None:
        """Let go of a tenant's keys at once, because they were changed or destroyed."""
        with self._lock:
            self._kept.pop(tenant_id, None)
            self._forgotten += 1

    def _keys_of(self, tenant_id: UUID) -> _Keys:
        # Before the look-up: what it finds may be destroyed while it is under way.
        expires = self._clock() + self._lifetime
        with self._lock:
            kept, forgotten = self._kept.get(tenant_id), self._forgotten
        if kept is not None and kept.expires > self._clock():
            return kept
        keys = _Keys(expires, dict(self._load(tenant_id)))
        if not keys.wrapped:
            self.forget(tenant_id)
            raise KeyDestroyed(DESTROYED)
        with self._lock:
            if forgotten == self._forgotten:
                self._keep(tenant_id, keys)
        return keys

    def _opened(self, tenant_id: UUID, keys: _Keys, version: int) -> DataKey:
        key = keys.opened.get(version)
        if key is None:
            until, refusal = keys.withheld.get(version, (0.0, None))
            if refusal is not None and until > self._clock():
                raise refusal.again()
            try:
                material = self._unwrapped(keys.wrapped[version], KeyName(tenant_id, version))
            except KeyWithheld as refused:
                keys.withheld[version] = (self._clock() + ASK_AGAIN_SECONDS, refused.again())
                raise
            key = keys.opened[version] = _data_key(version, material)
        return key

    def _unwrapped(self, wrapped: bytes, name: KeyName) -> bytes:
        try:
            return self._wrapper.unwrap(wrapped, name)
        except (Unreadable, KeyUnopened):
            again = dict(self._load(name.tenant_id)).get(name.version, wrapped)
            if again == wrapped:
                raise
            # Another key of keys has wrapped it since we looked.
            return self._wrapper.unwrap(again, name)

    def _keep(self, tenant_id: UUID, keys: _Keys) -> None:
        self._kept[tenant_id] = keys
        self._kept.move_to_end(tenant_id)
        while len(self._kept) > self._capacity:
            self._kept.popitem(last=False)
        if self._sweeper is None:
            self._sweep_later()

    def _sweep_later(self) -> None:
        first = min(keys.expires for keys in self._kept.values())
        self._sweeper = threading.Timer(max(first - self._clock(), 0.01), self._sweep)
        self._sweeper.daemon = True
        self._sweeper.start()

    def _sweep(self) -> None:
        """Expired keys leave the memory of an idle process too."""
        with self._lock:
            self._sweeper = None
            for tenant_id, keys in list(self._kept.items()):
                if keys.expires <= self._clock():
                    del self._kept[tenant_id]
            if self._kept:
                self._sweep_later()

    def _start_empty(self) -> None:
        self._lock = threading.Lock()
        self._kept = OrderedDict()
        self._forgotten = 0
        self._sweeper = None


def _data_key(version: int, material: bytes) -> DataKey:
    """Raises KeyUnopened for what is no key, whoever said that it is."""
    try:
        return DataKey(version, material)
    except ValueError:
        raise KeyUnopened("What opened is no key, so that nothing of what is sealed can be.") from None
