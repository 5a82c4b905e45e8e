"""Seals what is too large for memory, in chunks of which none can be altered, moved or left out.

This is the STREAM construction (Hoang, Reyhanitabar, Rogaway and Vizár, 2015): each stream has a key of its
own, and the nonce of a chunk is its number followed by a byte that marks the last one. A stream is
`format (1) · key version (4) · salt (32) · chunks`, each chunk with its tag behind it.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tenants.foundation.encryption import (
    HEADER_BYTES,
    NONCE_BYTES,
    TAG_BYTES,
    Context,
    DataKey,
    Unreadable,
    header_of,
    key_version,
    unambiguous,
)
from tenants.foundation.pieces import in_pieces, marking_the_last

CHUNK_BYTES = 1024 * 1024
SALT_BYTES = 32
SEALED_STREAM = b"\x02"


def seal_stream(key: DataKey, chunks: Iterable[bytes], context: Context) -> Iterator[bytes]:
    """The sealed stream; it takes chunks of any size and holds two mebibytes at most."""
    header, salt = header_of(SEALED_STREAM, key.version), secrets.token_bytes(SALT_BYTES)
    cipher = _cipher(key, header, salt, context)
    yield header + salt
    for number, (piece, last) in enumerate(marking_the_last(in_pieces(chunks, CHUNK_BYTES))):
        yield cipher.encrypt(_nonce(number, last=last), piece, None)


def unseal_stream(
    key_of: Callable[[int], DataKey], chunks: Iterable[bytes], context: Context
) -> Iterator[bytes]:
    """What was sealed, each piece only after it was found to be true, and while the key may be used.

    `key_of` is asked again for each chunk: who reads slowly would have a key for hours after it was withdrawn.

    `Unreadable` can come after good pieces, when a later one is false or the end is missing: what a reader
    made of the pieces until then counts only once the stream has ended without it.
    """
    source = iter(chunks)
    start, rest = _split(source, HEADER_BYTES + SALT_BYTES)
    header, salt = start[:HEADER_BYTES], start[HEADER_BYTES:]
    key = key_of(key_version(header))
    if header != header_of(SEALED_STREAM, key.version) or len(salt) != SALT_BYTES:
        raise Unreadable(f"A sealed stream does not open: {context}.")
    cipher = _cipher(key, header, salt, context)
    sealed = in_pieces(chain([rest], source), CHUNK_BYTES + TAG_BYTES)
    for number, (piece, last) in enumerate(marking_the_last(sealed)):
        if number:
            key_of(key.version)
        try:
            plaintext = cipher.decrypt(_nonce(number, last=last), piece, None)
        except InvalidTag:
            raise Unreadable(f"A sealed stream was altered or cut short: {context}.") from None
        yield plaintext


def _cipher(key: DataKey, header: bytes, salt: bytes, context: Context) -> AESGCM:
    return AESGCM(key.derived(unambiguous("streams", header, context.encoded()), salt))


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(NONCE_BYTES - 1) + bytes([last])


def _split(source: Iterator[bytes], size: int) -> tuple[bytes, bytes]:
    """The first bytes of a source, and what came along with them."""
    start = b""
    while len(start) < size and (chunk := next(source, None)) is not None:
        start += chunk
    return start[:size], start[size:]
