"""Encrypts a bundle while it is written, to the tenant's own age recipients: what is kept can be read by nobody else.

The format is that of https://age-encryption.org/v1; `age`, `rage` and their libraries decrypt it.
"""

import io
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any

from tenants.foundation.errors import Invalid
from tenants.portability.streams import through

MOST = 20
MAGIC = b"age-encryption.org/v1\n"
STANZA, GREASE, END = b"-> ", "-grease", b"---"
LONGEST_HEADER = 64 * 1024
NOT_ONE = "This is no age recipient: give one that begins with age1, or an ssh-ed25519 or ssh-rsa public key."
A_PRIVATE_KEY = (
    "This is a secret key. Keep it to yourself, make a new one, and give the recipient that begins with age1."
)


@dataclass(frozen=True)
class Encrypted:
    """What anybody can see of an encrypted bundle: to what kinds of keys it is, its size, and its SHA-256."""

    keys: tuple[str, ...]
    size: int
    sha256: str


def recipients_of(said: Sequence[str], field: str = "encrypt_to") -> list[Any]:
    """The recipients that these texts name. Raises Invalid with a sentence for each that names none."""
    found, errors = [], {}
    for number, text in enumerate(said):
        try:
            found.append(_recipient(text.strip()))
        except ValueError as error:
            errors[f"{field}.{number}"] = [str(error)]
    if errors:
        raise Invalid(errors=errors)
    return found


def encrypted(pieces: Generator[bytes, None, None], said: Sequence[str]) -> Generator[bytes, None, None]:
    """The pieces, readable for these recipients alone."""
    from pyrage import encrypt_io

    recipients = recipients_of(said)

    def encrypt(source: io.RawIOBase, file: io.RawIOBase) -> None:
        encrypt_io(source, file, recipients)

    return through(encrypt, pieces)


def encryption_of(path: Path) -> Encrypted | None:
    """What can be seen of a file that is encrypted with age; None for any other. Raises OSError."""
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            return None
        kinds = tuple(_kinds(file.read(LONGEST_HEADER)))
        file.seek(0)
        return Encrypted(kinds, path.stat().st_size, file_digest(file, "sha256").hexdigest())


def _recipient(text: str) -> Any:
    from pyrage import RecipientError, ssh, x25519

    if text.upper().startswith("AGE-SECRET-KEY") or "PRIVATE KEY" in text:
        raise ValueError(A_PRIVATE_KEY)
    try:
        return (ssh if text.startswith("ssh-") else x25519).Recipient.from_str(text)
    except RecipientError:
        raise ValueError(NOT_ONE) from None


def _kinds(header: bytes) -> list[str]:
    """The kinds of keys; stanzas of grease are there to keep readers honest, and are nobody's."""
    lines = header.split(b"\n")
    end = next((place for place, line in enumerate(lines) if line.startswith(END)), 0)
    kinds = [line.split()[1].decode("ascii", "replace") for line in lines[:end] if line.startswith(STANZA)]
    return [each for each in kinds if not each.endswith(GREASE)]
