"""Opens the zip of a bundle, and refuses one that could do harm before anything in it is read."""

import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path
from typing import IO, Any

from tenants.foundation.errors import Refusal
from tenants.portability.described import Described, describe
from tenants.portability.descriptor import DESCRIPTOR
from tenants.portability.encrypting import encryption_of

MOST_FILES = 1_000_000
#: What tables and lost files take in it, and what each file that is there takes besides.
DESCRIPTOR_BYTES, BYTES_OF_A_FILE = 32 * 1024 * 1024, 1024
#: Sizes behind the content, how hard it was compressed, and names in UTF-8; nothing else is used (APPNOTE 4.4.4).
FLAGS = 0x8 | 0x6 | 0x800
SYMLINK, KINDS_OF_FILE = 0o120000, 0o170000


class NotABundle(Refusal):
    """The file can't be read as a bundle, or is not safe to read; the message says why."""

    status = 422
    code = "not_a_bundle"
    title = "This file is not a bundle"


class AnotherFile(Refusal):
    """The file is not the one that was said; the message has the SHA-256 that it has."""

    status = 422
    code = "another_file"
    title = "This is another file"


def sha256_of(path: Path) -> str:
    """The SHA-256 of a whole file, as an export shows it."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def must_be_the_file(path: Path, sha256: str | None) -> str:
    """Raises AnotherFile unless this is its SHA-256, in lower case; None holds of every file. The one that it has."""
    found = sha256_of(path)
    if sha256 not in (None, found):
        raise AnotherFile(
            f"Its SHA-256 is {found}: this is not the file that was exported, or not all of it."
        )
    return found


class OpenBundle:
    """A bundle whose zip is sound and whose description could be read. Nothing of it is unpacked to a disk."""

    def __init__(self, archive: zipfile.ZipFile, files: Mapping[str, zipfile.ZipInfo]) -> None:
        self._archive, self.files = archive, files
        self.described: Described = describe(self._descriptor())

    def open(self, path: str) -> IO[bytes]:
        return self._archive.open(self.files[path])

    def _descriptor(self) -> Any:
        info = self.files.get(DESCRIPTOR)
        if info is None:
            raise NotABundle(f"There is no {DESCRIPTOR} in it.")
        if info.file_size > DESCRIPTOR_BYTES + BYTES_OF_A_FILE * len(self.files):
            raise NotABundle(f"{DESCRIPTOR} is larger than any of ours.")
        try:
            return json.loads(self._archive.read(info))
        except (ValueError, RecursionError, zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise NotABundle(f"{DESCRIPTOR} can't be read: {error}.") from error


@contextmanager
def opened_bundle(path: Path) -> Iterator[OpenBundle]:
    """Raises NotABundle, and OSError when the file can't be read at all."""
    if encryption_of(path):
        raise NotABundle(
            "It is encrypted with age. Decrypt it first: age --decrypt --identity KEY --output ZIP FILE."
        )
    with path.open("rb") as file, bundle_in(file) as bundle:
        yield bundle


@contextmanager
def bundle_in(file: IO[bytes]) -> Iterator[OpenBundle]:
    """The bundle in a file that is open already. Raises NotABundle."""
    try:
        with zipfile.ZipFile(file) as archive:
            files = _safe_files(archive, file.seek(0, io.SEEK_END))
            try:
                yield OpenBundle(archive, files)
            except ValueError as error:
                raise NotABundle(str(error)) from error
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise NotABundle("It is no zip file, or not all of one.") from error


def _safe_files(archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    files: dict[str, zipfile.ZipInfo] = {}
    infos = archive.infolist()
    if len(infos) > MOST_FILES:
        raise NotABundle(f"It holds more than {MOST_FILES} files.")
    for info in infos:
        if reason := _unsafe(info):
            raise NotABundle(f"{_shown(info.filename)} {reason}.")
        if info.filename in files:
            raise NotABundle(f"{_shown(info.filename)} is in it twice.")
        files[info.filename] = info
    # Files that share their compressed bytes make a small zip unfold into petabytes.
    if sum(info.compress_size for info in infos) > size:
        raise NotABundle("Its files overlap: it would unfold into far more than it holds.")
    return files


def _unsafe(info: zipfile.ZipInfo) -> str | None:
    name = info.filename
    parts = name.split("/")
    if (
        not name
        or "\\" in name
        or ":" in name
        or name.startswith("/")
        or {"", ".", ".."} & set(parts)
        or not name.isprintable()
    ):
        return "is not a name that a bundle's file may have"
    if info.external_attr >> 16 & KINDS_OF_FILE == SYMLINK:
        return "is a link"
    if info.flag_bits & 0x1:
        return "is encrypted"
    known = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    if not known or info.flag_bits & ~FLAGS:
        return "is compressed in a way that bundles don't use"
    return None


def _shown(name: str) -> str:
    return repr(name[:200])
