"""The key of keys in a file of this machine: what wraps every tenant's data keys where there is no KMS."""

import base64
import binascii
import os
import stat
from pathlib import Path

from tenants.foundation.encryption import (
    KEY_BYTES,
    LOOK_UPS,
    Context,
    DataKey,
    keyed_hash,
    new_key_material,
    seal,
    unseal,
)
from tenants.foundation.whole_files import UnfinishedFile
from tenants.isolation.keys import KeyName

#: Which key of keys this is; it is in every wrapped key, so that the file can hold another one some day.
VERSION = 1
LARGEST_FILE = 1024


class KeyFileUnusable(Exception):
    """The key file is missing, open to others, or not a key; the message is a sentence for the operator."""


class LocalKeyFile:
    """Wraps keys with the one in a file. It is read whenever it is needed and never kept in memory."""

    def __repr__(self) -> str:
        return self._path.absolute().as_uri()

    def __init__(self, path: Path) -> None:
        """Refuse, at once, a file that can't be used."""
        self._path = path
        self._read()

    @classmethod
    def made_if_missing(cls, path: Path, *, needed_for: int = 0) -> "LocalKeyFile":
        """For the command that prepares the database. Of several at once, one makes the file; all use it.

        `needed_for` says how many keys are wrapped with it already: a new file could open none of them, so
        none is made.
        """
        if needed_for and not path.exists():
            raise KeyFileUnusable(
                f"There is no key file at {path}, and {needed_for} keys in the catalog are wrapped with it. "
                "Put it back from where you keep it: nothing sealed can be read without it, and a new one would not help."
            )
        _make(path)
        return cls(path)

    def wrap(self, key: bytes, name: KeyName) -> bytes:
        return seal(self._read(), key, _place_of(name))

    def unwrap(self, wrapped: bytes, name: KeyName) -> bytes:
        return unseal(self._read(), wrapped, _place_of(name))

    def hashed(self, value: str, purpose: str) -> bytes:
        """A keyed hash for the catalog's look-ups; nobody without the key file can try values against it."""
        return keyed_hash(self._read(), value, purpose)

    def look_up_secret(self) -> bytes:
        """What `hashed` hashes with, to be kept wrapped when another key of keys takes over."""
        return self._read().derived(LOOK_UPS)

    def _read(self) -> DataKey:
        try:
            with self._path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                text = file.read(LARGEST_FILE)
        except FileNotFoundError:
            raise KeyFileUnusable(
                f"There is no key file at {self._path}. Put the one that belongs to this database there; "
                "for a new database, the migration makes one."
            ) from None
        except OSError as error:
            raise KeyFileUnusable(f"The key file {self._path} can't be read: {error.strerror}.") from None
        if stat.S_IMODE(mode) & 0o077:
            raise KeyFileUnusable(
                f"The key file {self._path} is open to others than its owner. "
                f"Close it with: chmod 600 {self._path}"
            )
        try:
            return DataKey(VERSION, base64.b64decode(text.strip(), validate=True))
        except (binascii.Error, ValueError):
            raise KeyFileUnusable(
                f"The key file {self._path} does not hold {KEY_BYTES} bytes in base64."
            ) from None


def _place_of(name: KeyName) -> Context:
    return Context(name.tenant_id, "tenant_keys", "wrapped", str(name.version))


def _make(path: Path) -> None:
    try:
        if path.exists():
            return
        unfinished = UnfinishedFile(path.parent)
        try:
            unfinished.write(base64.b64encode(new_key_material()) + b"\n")
            unfinished.put_if_free(path)
        finally:
            unfinished.abandon()
    except OSError as error:
        raise KeyFileUnusable(f"The key file {path} can't be made: {error.strerror}.") from None
