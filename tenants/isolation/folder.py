"""Files of all tenants in a folder of this machine."""

import errno
import fcntl
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from tenants.foundation.clock import now
from tenants.foundation.whole_files import UnfinishedFile
from tenants.isolation.storage import CannotLock, Lock, NotStored, StorageFailed

CHUNK_BYTES = 1024 * 1024
UNFINISHED = ".unfinished"
LOCK = ".lock"


class Folder:
    """A place for files below one folder; what is being written waits beside them, out of sight."""

    def __init__(self, root: Path) -> None:
        self._root, self._unfinished = root, root / UNFINISHED

    def write(self, key: str, chunks: Iterable[bytes], lock: Lock | None = None) -> None:
        if lock is not None:
            raise CannotLock(
                f"The file {key} can't be locked in a folder: that takes a bucket with Object Lock."
            )
        with _in_words("written", key):
            unfinished = UnfinishedFile(self._unfinished)
        try:
            for chunk in chunks:
                with _in_words("written", key):
                    unfinished.write(chunk)
            with _in_words("written", key), self._alone():
                path = self._root / key
                path.parent.mkdir(parents=True, exist_ok=True)
                unfinished.put_at(path)
        finally:
            unfinished.abandon()

    @contextmanager
    def open_stream(self, key: str) -> Iterator[Iterator[bytes]]:
        with _in_words("read", key):
            try:
                file = (self._root / key).open("rb")
            except FileNotFoundError:
                raise NotStored(f"There is no file {key}.") from None
        with file:
            yield _chunks(file, key)

    def rewrite(self, key: str, change: Callable[[Iterator[bytes]], Iterable[bytes]]) -> bool:
        path = self._root / key
        with _in_words("written", key):
            unfinished = UnfinishedFile(self._unfinished)
        try:
            before = _identity(path)
            with self.open_stream(key) as chunks:
                for chunk in change(chunks):
                    with _in_words("written", key):
                        unfinished.write(chunk)
            with _in_words("written", key), self._alone():
                if _identity(path) != before:
                    return False
                unfinished.put_at(path)
                return True
        except NotStored:
            return False
        finally:
            unfinished.abandon()

    def delete(self, key: str) -> None:
        with _in_words("deleted", key), self._alone():
            (self._root / key).unlink(missing_ok=True)

    def exists(self, key: str) -> bool:
        with _in_words("looked for", key):
            return (self._root / key).is_file()

    def list(self, prefix: str) -> Iterator[str]:
        with _in_words("listed", prefix):
            paths = [path for path in (self._root / prefix).rglob("*") if path.is_file()]
        yield from sorted(path.relative_to(self._root).as_posix() for path in paths)

    def sweep_unfinished(self, older_than: timedelta) -> int:
        latest, swept = (now() - older_than).timestamp(), 0
        with _in_words("swept", UNFINISHED):
            for path in self._unfinished.glob(".*"):
                with suppress(FileNotFoundError):  # another sweeper, or the writer itself, was quicker
                    if path.stat().st_mtime <= latest:
                        path.unlink()
                        swept += 1
        return swept

    def keeps_locks(self) -> bool:
        return False

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Between looking at a file and putting another in its place, nobody removes or replaces it."""
        self._root.mkdir(parents=True, exist_ok=True)
        with (self._root / LOCK).open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _identity(path: Path) -> tuple[int, int, int] | None:
    """Which file it is that has this name at the moment."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _chunks(file: BinaryIO, key: str) -> Iterator[bytes]:
    while True:
        with _in_words("read", key):
            chunk = file.read(CHUNK_BYTES)
        if not chunk:
            return
        yield chunk


@contextmanager
def _in_words(done: str, key: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFailed(f"The file {key} can't be {done}: the disk is full.") from error
        reason = error.strerror or os.strerror(error.errno or errno.EIO)
        raise StorageFailed(f"The file {key} can't be {done}: {reason}.") from error
