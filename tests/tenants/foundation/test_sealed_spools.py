"""What waits on a disk on its way in or out is sealed there, and reads as it was written."""

import io
import random
from typing import IO

import pytest

from tenants.foundation.sealed_spools import IN_MEMORY, sealed_spool
from tests.spooled import OnDisk

LINE = b"Zilpzalp: nobody reads this on a disk.\n"


@pytest.fixture(params=[IN_MEMORY // 2, IN_MEMORY, IN_MEMORY + 1, 3 * IN_MEMORY], ids=str)
def content(request: pytest.FixtureRequest) -> bytes:
    size: int = request.param
    return (LINE * (size // len(LINE) + 1))[:size]


def written(content: bytes) -> IO[bytes]:
    """In pieces of awkward sizes."""
    chance, at, file = random.Random(7), 0, sealed_spool()  # noqa: S311 - nothing secret
    while at < len(content):
        at += file.write(content[at : at + chance.choice([1, 15, 16, 17, 1000, 65_537])])
    return file


def test_it_reads_as_it_was_written_from_any_place(content: bytes) -> None:
    plain, chance = io.BytesIO(content), random.Random(8)  # noqa: S311 - nothing secret
    with written(content) as file:
        assert file.tell() == len(content)
        for _ in range(300):
            place, size = chance.randrange(len(content) + 1), chance.choice([0, 1, 16, 33, 9000])
            assert file.seek(place) == plain.seek(place)
            assert file.read(size) == plain.read(size)
            assert file.tell() == plain.tell()
        assert file.seek(-5, io.SEEK_END) == len(content) - 5
        file.seek(0)
        assert b"".join(file) == content
    assert file.closed


def test_only_what_is_large_goes_to_disk_and_none_of_it_can_be_read_there(
    content: bytes, on_disk: OnDisk
) -> None:
    with written(content) as ours, written(content) as again:
        ours.flush()
        again.flush()
        found = on_disk()
    assert [len(each) for each in found] == ([len(content)] * 2 if len(content) > IN_MEMORY else [])
    assert not any(LINE[:16] in each for each in found)
    assert len(set(found)) == len(found), "each has a key of its own"
