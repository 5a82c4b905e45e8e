"""A file of a backup on its way in or out: how large it is, and whether it is the one that was written."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tenants.foundation.encryption import Unreadable
from tenants.lifecycle.backups.faults import BackupDamaged


class Measured:
    """Passes chunks on, and knows how many bytes they were and their SHA-256."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks, self.size, self.hash = chunks, 0, hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.size += len(chunk)
            self.hash.update(chunk)
            yield chunk


def checked(
    place: str, chunks: Iterator[bytes], measured: Measured, expected: Mapping[str, Any]
) -> Iterator[bytes]:
    """The chunks of a file. Raises BackupDamaged, also after good ones, when it is not as `expected` says."""
    try:
        yield from chunks
    except Unreadable:
        raise BackupDamaged(f"{place} was changed or cut short: its seal is broken.") from None
    if measured.hash.hexdigest() != expected["sha256"]:
        raise BackupDamaged(f"{place} is not the file that was written with this backup.")
