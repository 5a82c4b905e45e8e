"""The head of an audit seal: what it says, as bytes that read one way only, and its Ed25519 signature."""

import hashlib
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

HASH_BYTES = 32
#: What the first seal of a tenant names as the one before it.
NO_HEAD = bytes(HASH_BYTES)

_VERSION = b"freehold audit seal 1\n"
_LAYOUT = struct.Struct(">16sQ32s32sQq")
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SealHead:
    """What a seal vouches for: these events, in this number, after that seal, at this moment."""

    tenant_id: UUID
    sequence: int
    previous: bytes
    root: bytes
    count: int
    sealed_at: datetime

    def __post_init__(self) -> None:
        if len(self.previous) != HASH_BYTES or len(self.root) != HASH_BYTES:
            raise ValueError(f"The hashes in a seal's head have {HASH_BYTES} bytes.")
        if self.sealed_at.tzinfo is None:
            raise ValueError("The moment of a seal needs its time zone.")
        if self.sequence < 1 or self.count < 0:
            raise ValueError("Seals are counted from one, and their events from zero.")

    def canonical(self) -> bytes:
        """Every part at its place and of fixed length; the moment in microseconds, as PostgreSQL keeps it."""
        moment = (self.sealed_at - _BEGINNING) // timedelta(microseconds=1)
        return _VERSION + _LAYOUT.pack(
            self.tenant_id.bytes, self.sequence, self.previous, self.root, self.count, moment
        )

    def digest(self) -> bytes:
        """What the next seal names as `previous`."""
        return hashlib.sha256(self.canonical()).digest()


def new_signing_key() -> tuple[bytes, bytes]:
    """A private key, to be sealed at once, and its public key."""
    key = Ed25519PrivateKey.generate()
    return key.private_bytes_raw(), key.public_key().public_bytes_raw()


def sign(private_key: bytes, head: SealHead) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(private_key).sign(head.canonical())


def verify(public_key: bytes, head: SealHead, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, head.canonical())
    except InvalidSignature:
        return False
    return True
