"""Faults that happen once, so that what comes after them can be seen."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tenants.foundation.whole_files import UnfinishedFile

FULL = Path("/dev/full")


class Once:
    """Stands before a function and fails the first time, before or after it has done its work."""

    def __init__(self, whole: Callable[..., Any], error: Exception, *, after: bool) -> None:
        self._whole, self._error, self._after, self.failed = whole, error, after, False

    def __call__(self, *args: Any, **options: Any) -> Any:
        if self._after or self.failed:
            made = self._whole(*args, **options)
        if not self.failed:
            self.failed = True
            raise self._error
        return made


class OnAFullDisk(UnfinishedFile):
    """Takes nothing more: the kernel says so itself."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._file.close()
        self._file = FULL.open("wb")
