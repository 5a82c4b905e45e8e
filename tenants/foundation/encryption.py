"""Seals values with a given key, bound to the place they are kept in, and hashes what has to be looked up.

A sealed value is `format (1) · key version (4) · nonce (12) · ciphertext and tag`. The first two parts and
the context are authenticated with it, so that it opens where it was sealed and nowhere else.
"""

import hmac
import secrets
from dataclasses import dataclass
from typing import NoReturn
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
HEADER_BYTES = 5
SEALED_VALUE = b"\x01"
#: The use of a key that values are hashed with to be found.
LOOK_UPS = b"look-ups"


class Unreadable(Exception):
    """Sealed bytes that do not open: altered, cut, moved from another place, or sealed with another key."""


@dataclass(frozen=True, slots=True)
class Context:
    """The place a sealed value belongs to. It is not kept with the value: whoever opens it has to know it."""

    tenant_id: UUID
    table: str
    column: str
    row_id: UUID | str

    def __str__(self) -> str:
        return f"{self.table}.{self.column} of {self.row_id}"

    def encoded(self) -> bytes:
        return unambiguous(self.tenant_id.bytes, self.table, self.column, str(self.row_id))


class DataKey:
    """32 secret bytes with a version. It shows its version only, and can be neither copied nor sent."""

    __slots__ = ("_hashing", "_material", "_values", "version")

    def __init__(self, version: int, material: bytes) -> None:
        if len(material) != KEY_BYTES:
            raise ValueError(f"A data key has {KEY_BYTES} bytes.")
        if not 0 < version < 2**32:
            raise ValueError("A data key's version is a positive number of 32 bits.")
        self.version = version
        self._material = material
        # One key for each use, so that what one use gives away never helps against another.
        self._values = AESGCM(self.derived(b"values"))
        self._hashing = self.derived(LOOK_UPS)

    def __repr__(self) -> str:
        return f"DataKey(version={self.version})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A data key does not leave the process.")

    def encrypted(self, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
        return self._values.encrypt(nonce, plaintext, associated)

    def decrypted(self, nonce: bytes, ciphertext: bytes, associated: bytes) -> bytes:
        return self._values.decrypt(nonce, ciphertext, associated)

    def hashed(self, message: bytes) -> bytes:
        return hmac.digest(self._hashing, message, "sha256")

    def derived(self, use: bytes, salt: bytes | None = None) -> bytes:
        """A key of its own for one use (HKDF-SHA-256, RFC 5869)."""
        return HKDF(SHA256(), KEY_BYTES, salt, use).derive(self._material)


def new_key_material() -> bytes:
    return secrets.token_bytes(KEY_BYTES)


def seal(key: DataKey, plaintext: bytes, context: Context) -> bytes:
    header = header_of(SEALED_VALUE, key.version)
    nonce = secrets.token_bytes(NONCE_BYTES)
    return header + nonce + key.encrypted(nonce, plaintext, header + context.encoded())


def unseal(key: DataKey, sealed: bytes, context: Context) -> bytes:
    """The plaintext, or `Unreadable`, without saying which of its causes it was."""
    header, nonce = sealed[:HEADER_BYTES], sealed[HEADER_BYTES : HEADER_BYTES + NONCE_BYTES]
    if header != header_of(SEALED_VALUE, key.version) or len(sealed) < HEADER_BYTES + NONCE_BYTES + TAG_BYTES:
        raise Unreadable(f"A sealed value does not open: {context}.")
    try:
        return key.decrypted(nonce, sealed[HEADER_BYTES + NONCE_BYTES :], header + context.encoded())
    except InvalidTag:
        raise Unreadable(f"A sealed value does not open: {context}.") from None


def key_version(sealed: bytes) -> int:
    """Which version of the key a sealed value or stream asks for; nothing vouches for it before it opens."""
    if len(sealed) < HEADER_BYTES:
        raise Unreadable("A sealed value is cut short.")
    return int.from_bytes(sealed[1:HEADER_BYTES])


def keyed_hash(key: DataKey, value: str, purpose: str) -> bytes:
    """HMAC-SHA-256 of a value for one purpose: equal values can be found, and nothing else be learnt."""
    return key.hashed(unambiguous(purpose, value))


def header_of(form: bytes, version: int) -> bytes:
    """What anything sealed begins with: its form in one byte, then the version of the key."""
    return form + version.to_bytes(HEADER_BYTES - 1)


def unambiguous(*parts: bytes | str) -> bytes:
    """The parts with their lengths before them, so that no two lists of parts read the same."""
    encoded = [part.encode() if isinstance(part, str) else part for part in parts]
    return b"".join(len(part).to_bytes(8) + part for part in encoded)
