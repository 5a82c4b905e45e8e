"""Bytes that come in chunks of any size, cut into pieces of one size."""

from collections.abc import Iterable, Iterator


def in_pieces(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The same bytes in pieces of one size; the last one has what is left."""
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        start = 0
        while len(waiting) - start >= size:
            yield bytes(memoryview(waiting)[start : start + size])
            start += size
        del waiting[:start]
    if waiting:
        yield bytes(waiting)


def marking_the_last(pieces: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each piece, and whether it is the last. Of nothing at all, the last is one empty piece."""
    piece = next(pieces, b"")
    for following in pieces:
        yield piece, False
        piece = following
    yield piece, True
