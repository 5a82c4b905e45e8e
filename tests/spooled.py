"""What lies in files without a name while a test runs, as whoever reads the disk has it."""

import os
import tempfile
from collections.abc import Callable, Iterator
from typing import IO, Any

import pytest

OnDisk = Callable[[], list[bytes]]


@pytest.fixture
def on_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[OnDisk]:
    """The content of each such file that was made since, whether or not it was closed."""
    made: list[int] = []

    def kept(*said: Any, **also: Any) -> IO[bytes]:
        file: IO[bytes] = whole(*said, **also)
        made.append(os.dup(file.fileno()))
        return file

    whole = tempfile.TemporaryFile
    monkeypatch.setattr(tempfile, "TemporaryFile", kept)
    yield lambda: [os.pread(each, os.fstat(each).st_size, 0) for each in made]
    for each in made:
        os.close(each)
