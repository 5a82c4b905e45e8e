"""Files that appear whole or not at all, and are still there after a power cut."""

import os
import secrets
from contextlib import suppress
from pathlib import Path


class UnfinishedFile:
    """A file under a name of its own until it is finished; only its owner may read it."""

    def __init__(self, folder: Path) -> None:
        """`folder` has to be on the file system that the finished file is to be on."""
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f".{secrets.token_hex(16)}"
        self._file = os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")

    def write(self, content: bytes) -> None:
        self._file.write(content)

    def put_at(self, path: Path) -> None:
        """Give it its name, in place of a file that has it already."""
        self._write_out()
        self._path.replace(path)
        _write_out_names(path.parent)

    def put_if_free(self, path: Path) -> bool:
        """Give it its name, unless a file has it already: a link never takes another's name."""
        self._write_out()
        try:
            path.hardlink_to(self._path)
        except FileExistsError:
            return False
        finally:
            self._path.unlink()
        _write_out_names(path.parent)
        return True

    def abandon(self) -> None:
        """Leave nothing behind, whatever it was that went wrong."""
        with suppress(OSError):  # a full disk says so once more on closing, of bytes that nobody wants
            self._file.close()
        self._path.unlink(missing_ok=True)

    def _write_out(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()


def _write_out_names(folder: Path) -> None:
    """A new name survives a power cut only once its folder is written out too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
