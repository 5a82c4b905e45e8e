"""Who wraps the keys of this installation: a key file or AWS KMS, the one before it, and keys that tenants brought."""

import hmac
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit
from uuid import UUID

from tenants.foundation.encryption import KEY_BYTES, Unreadable, unambiguous
from tenants.isolation.aws_kms import BROUGHT, AwsKms
from tenants.isolation.key_file import KeyFileUnusable, LocalKeyFile
from tenants.isolation.keys import KeyName, KeyUnopened

AWS_KMS = "aws-kms://"
LOOK_UPS, CERTIFICATES = "look-ups", "certificates"
OTHER = (
    "The key of keys in use here is not the one that wrapped this installation's keys, perhaps another installation's:"
    " it opens none of them, so nothing sealed can be opened or sealed until the right one is put back."
)
ALTERED = (
    "The wrapped key of this workspace was altered where it is kept: the key of keys opens others and not this one. It"
    " can be restored from a backup's keyring."
)
NOT_THEIRS = "The key that this workspace brought does not open what it wrapped, or is not known any more."
#: Keys of the installation itself are wrapped under names that no tenant has.
INSTALLATION = {LOOK_UPS: KeyName(UUID(int=1), 1), CERTIFICATES: KeyName(UUID(int=2), 1)}


class HouseKey(Protocol):
    """A key of keys: what wraps and unwraps, without look-ups."""

    def wrap(self, key: bytes, name: KeyName) -> bytes: ...

    def unwrap(self, wrapped: bytes, name: KeyName) -> bytes: ...


BroughtBy = Callable[[UUID], HouseKey | None]


def house_key(url: str) -> HouseKey:
    """The key of keys at `file:///path` or `aws-kms://KEY`. Raises KeyFileUnusable."""
    if url.startswith(AWS_KMS):
        return AwsKms(url.removeprefix(AWS_KMS))
    return LocalKeyFile(file_of(url))


def file_of(url: str) -> Path:
    """The path that a `file://` URL names."""
    return Path(unquote(urlsplit(url).path))


class Wrapping:
    """The wrapper of an installation.

    `former` is the key of keys before this one: what it wrapped still opens, until it is wrapped again. `stored` gives
    the wrapped secret of the look-ups once there is one in the catalog, `brought` the key that a tenant brought.
    """

    def __init__(
        self,
        current: HouseKey,
        former: HouseKey | None = None,
        *,
        stored: Callable[[], bytes | None] = lambda: None,
        brought: BroughtBy = lambda _tenant_id: None,
    ) -> None:
        self.current, self.former = current, former
        self._stored, self._brought = stored, brought
        self._secret: bytes | None = None

    def wrap(self, key: bytes, name: KeyName) -> bytes:
        """Raises KeyWithheld when the key that should wrap it can't be used."""
        return (self._brought(name.tenant_id) or self.current).wrap(key, name)

    def unwrap(self, wrapped: bytes, name: KeyName) -> bytes:
        """Raises KeyWithheld, KeyUnopened."""
        if wrapped[:1] == BROUGHT:
            theirs = self._brought(name.tenant_id)
            if theirs is None:
                raise KeyUnopened(NOT_THEIRS)
            try:
                return theirs.unwrap(wrapped, name)
            except Unreadable:
                raise KeyUnopened(NOT_THEIRS) from None
        return self.unwrapped_by_house(wrapped, name)

    def unwrapped_by_house(self, wrapped: bytes, name: KeyName) -> bytes:
        """Opened with our key, or with the one before it.

        Raises KeyWithheld, KeyUnopened, and Unreadable while nothing shows why.
        """
        try:
            return self._by_house(wrapped, name)
        except Unreadable:
            match self.is_the_one():
                case True:
                    raise KeyUnopened(ALTERED, code="key_altered") from None
                case False:
                    raise KeyUnopened(OTHER) from None
            raise

    def is_the_one(self) -> bool | None:
        """Whether our key, or the one before it, wrapped this installation's own secret; None before that was kept.

        AES-GCM does not tell another key from altered bytes (NIST SP 800-38D, 7.2): two wrapped keys do.
        """
        stored = self._stored()
        if stored is None:
            return None
        try:
            self._by_house(stored, INSTALLATION[LOOK_UPS])
        except Unreadable:
            return False
        return True

    def _by_house(self, wrapped: bytes, name: KeyName) -> bytes:
        try:
            return self.current.unwrap(wrapped, name)
        except Unreadable:
            if self.former is None:
                raise
            return self.former.unwrap(wrapped, name)

    def rewrapped(self, wrapped: bytes, name: KeyName) -> bytes | None:
        """The same key wrapped by ours of today; None when it is already, or when it is not ours to wrap."""
        if wrapped[:1] == BROUGHT:
            return None
        try:
            self.current.unwrap(wrapped, name)
        except Unreadable:
            if self.former is None:
                raise
            return self.current.wrap(self.former.unwrap(wrapped, name), name)
        return None

    def opens(self, wrapped: bytes, name: KeyName) -> bool:
        """Whether we can open it at this moment. Raises KeyWithheld."""
        try:
            self.unwrap(wrapped, name)
        except (Unreadable, KeyUnopened):
            return False
        return True

    def hashed(self, value: str, purpose: str) -> bytes:
        """A keyed hash for the catalog's look-ups. Its secret opens nothing, so it is kept as long as the process."""
        if self._secret is None:
            self._secret = self._look_up_secret()
        return hmac.digest(self._secret, unambiguous(purpose, value), "sha256")

    def secret_to_store(self) -> bytes:
        """The secret of the look-ups, wrapped by the key of today: the one in use, or a new one where none is yet."""
        known = self._file_secret()
        return self.current.wrap(known or secrets.token_bytes(KEY_BYTES), INSTALLATION[LOOK_UPS])

    def _look_up_secret(self) -> bytes:
        if stored := self._stored():
            secret = self.unwrapped_by_house(stored, INSTALLATION[LOOK_UPS])
            if len(secret) != KEY_BYTES:  # it would be kept, and everybody looked up under it
                raise KeyUnopened(OTHER)
            return secret
        if known := self._file_secret():
            return known
        raise KeyFileUnusable("The secret of the look-ups was not made yet: run `freehold migrate`.")

    def _file_secret(self) -> bytes | None:
        """While none is stored, look-ups hang on the key file that was there first."""
        first = self.former or self.current
        return first.look_up_secret() if isinstance(first, LocalKeyFile) else None
