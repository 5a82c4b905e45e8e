"""Seals what is too large for memory, in chunks of which none can be altered, moved or left out.

This is the STREAM construction (Hoang, Reyhanitabar, Rogaway and Vizár, 2015): each stream has a key of its
own, and the nonce of a chunk is its number followed by a byte that marks the last one. A stream is
`format (1) · key version (4) · salt (32) · chunks`, each chunk with its tag behind it.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator

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

CHUNK_BYTES = 1024 * 1024
SALT_BYTES = 32
SEALED_STREAM = b"\x02"


def seal_stream(key: DataKey, chunks: Iterable[bytes], context: Context) -> Iterator[bytes]:
    """The sealed stream; it takes chunks of any size and holds two mebibytes at most."""
    header, salt = header_of(SEALED_STREAM, key), secrets.token_bytes(SALT_BYTES)
    cipher = _cipher(key, header, salt, context)
    yield header + salt
    for nonce, chunk in _numbered(_in_pieces(chunks, CHUNK_BYTES)):
        yield cipher.encrypt(nonce, chunk, None)


def unseal_stream(
    key_of: Callable[[int], DataKey], chunks: Iterable[bytes], context: Context
) -> Iterator[bytes]:
    """What was sealed, each piece only after it was found to be true.

    `Unreadable` can come after good pieces, when a later one is false or the end is missing: what a reader
    made of the pieces until then counts only once the stream has ended without it.
    """
    source = iter(chunks)
    start, rest = _split(source, HEADER_BYTES + SALT_BYTES)
    header, salt = start[:HEADER_BYTES], start[HEADER_BYTES:]
    key = key_of(key_version(header))
    if header != header_of(SEALED_STREAM, key) or len(salt) != SALT_BYTES:
        raise Unreadable("A sealed stream does not open.")
    cipher = _cipher(key, header, salt, context)
    for nonce, chunk in _numbered(_in_pieces(_chain(rest, source), CHUNK_BYTES + TAG_BYTES)):
        try:
            piece = cipher.decrypt(nonce, chunk, None)
        except InvalidTag:
            raise Unreadable("A sealed stream was altered or cut short.") from None
        yield piece


def _cipher(key: DataKey, header: bytes, salt: bytes, context: Context) -> AESGCM:
    return AESGCM(key.derived(unambiguous("streams", header, context.encoded()), salt))


def _numbered(pieces: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Each piece with its nonce. Only the very last may be short, and it is empty only in an empty stream."""
    piece, number = next(pieces, b""), 0
    for following in pieces:
        yield _nonce(number, last=False), piece
        piece, number = following, number + 1
    yield _nonce(number, last=True), piece


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(NONCE_BYTES - 1) + bytes([last])


def _in_pieces(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The same bytes in pieces of one size; the last one has what is left."""
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        start = 0
        while len(waiting) - start >= size:
            yield bytes(waiting[start : start + size])
            start += size
        del waiting[:start]
    if waiting:
        yield bytes(waiting)


def _split(source: Iterator[bytes], size: int) -> tuple[bytes, bytes]:
    """The first bytes of a source, and what came along with them."""
    start = b""
    while len(start) < size and (chunk := next(source, None)) is not None:
        start += chunk
    return start[:size], start[size:]


def _chain(first: bytes, source: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from source
