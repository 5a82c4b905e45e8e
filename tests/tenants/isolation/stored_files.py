"""Files for the tests of storage, small and large."""

from pathlib import Path
from uuid import UUID

OURS, NEIGHBOUR = UUID(int=1), UUID(int=2)
ROOT = Path(__file__).parents[3]
LARGE = 20 * 1024 * 1024


def read(storage, name):
    with storage.open_stream(name) as chunks:
        return b"".join(chunks)


def large(length=LARGE):
    chunk = bytes(range(256)) * 256
    for _ in range(length // len(chunk)):
        yield chunk
