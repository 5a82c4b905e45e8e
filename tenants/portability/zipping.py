"""A zip file as it is written, piece by piece, so that it never has to be anywhere as a whole."""

import hashlib
import io
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import IO

from isal import isal_zlib

#: Of ISA-L's levels 0 to 3: the smallest files for hardly more time than none at all.
LEVEL = 1
#: A window of 32 KiB and no header of its own, as the files in a zip are.
RAW = -15
#: The flag of a file whose size and CRC follow it, because they were not known before.
DESCRIPTOR_BEHIND = 0x08


@dataclass(frozen=True)
class Written:
    """A file in the zip, once it is complete."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Entry:
    """Where a finished file lies, counted from some place in the zip, and what the list at the zip's end says of it."""

    path: str
    at: tuple[int, int, int, int, int, int]
    offset: int
    packed: int
    size: int
    crc: int


class ZipStream:
    """Write files one after another, and take what has become of them so far from `pieces`."""

    def __init__(self, at: datetime) -> None:
        self._buffer = _Buffer()
        self._zip = zipfile.ZipFile(
            self._buffer, "w", zipfile.ZIP_DEFLATED, allowZip64=True, compresslevel=LEVEL
        )
        self._at = at.timetuple()[:6]

    @property
    def length(self) -> int:
        """Bytes so far, adopted ones with them."""
        return self._buffer.tell()

    @contextmanager
    def file(self, path: str) -> Iterator["ZippedFile"]:
        """One file; it counts and hashes what it is given."""
        info = _info(path, self._at)
        with self._zip.open(info, "w", force_zip64=True) as entry:
            # zipfile has no way to choose who deflates; ISA-L needs a third of zlib's processor time.
            entry._compressor = isal_zlib.compressobj(LEVEL, isal_zlib.DEFLATED, RAW)  # type: ignore[attr-defined]  # noqa: SLF001
            yield ZippedFile(path, entry)

    def entries(self, since: int) -> list[Entry]:
        """The files that were finished since the zip had this length; they lie that much further from its beginning."""
        found = takewhile(lambda each: each.header_offset >= since, reversed(self._zip.filelist))
        return [
            Entry(
                each.filename,
                each.date_time,
                each.header_offset - since,
                each.compress_size,
                each.file_size,
                each.CRC,
            )
            for each in found
        ][::-1]

    def adopt(self, entries: Sequence[Entry], length: int) -> None:
        """Go on behind files that are there already: so many bytes, which another zip has written."""
        for each in entries:
            info = _info(each.path, each.at)
            info.header_offset, info.flag_bits = self.length + each.offset, DESCRIPTOR_BEHIND
            info.compress_size, info.file_size, info.CRC = each.packed, each.size, each.crc
            info.create_version = info.extract_version = zipfile.ZIP64_VERSION
            self._zip.filelist.append(info)
            self._zip.NameToInfo[info.filename] = info
        self._buffer.skip(length)

    def pieces(self) -> Iterator[bytes]:
        """What was written since the last call."""
        if piece := self._buffer.taken():
            yield piece

    def end(self) -> Iterator[bytes]:
        """The list of all files, with which a zip ends."""
        self._zip.close()
        yield from self.pieces()


class ZippedFile:
    """One file on its way into the zip."""

    def __init__(self, path: str, entry: IO[bytes]) -> None:
        self._path, self._entry = path, entry
        self._size, self._hash = 0, hashlib.sha256()

    def write(self, content: bytes) -> None:
        self._entry.write(content)
        self._hash.update(content)
        self._size += len(content)

    def written(self) -> Written:
        return Written(self._path, self._size, self._hash.hexdigest())


def _info(path: str, at: tuple[int, int, int, int, int, int]) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(path, at)
    info.compress_type, info._compresslevel = zipfile.ZIP_DEFLATED, LEVEL  # type: ignore[attr-defined]  # noqa: SLF001 -- public from 3.13 on
    info.external_attr = 0o644 << 16
    return info


class _Buffer(io.RawIOBase):
    """Where the zip writes to; it can't go back, which makes the zip one that can be streamed."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []
        self._length = 0

    def writable(self) -> bool:
        return True

    def write(self, content: bytes) -> int:  # type: ignore[override]
        self._waiting.append(bytes(content))
        self._length += len(content)
        return len(content)

    def flush(self) -> None:
        """Nothing waits behind it. A zip that broke off is ended when it is collected, perhaps after this was closed."""

    def tell(self) -> int:
        return self._length

    def skip(self, length: int) -> None:
        """Bytes that are elsewhere."""
        self._length += length

    def taken(self) -> bytes:
        taken = b"".join(self._waiting)
        self._waiting.clear()
        return taken
