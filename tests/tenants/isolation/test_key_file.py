"""The key file is made once, by whoever is first, and is nobody else's to read."""

import base64
import errno
import os
import stat
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from tenants.foundation.encryption import Unreadable
from tenants.isolation.key_file import KeyFileUnusable, LocalKeyFile
from tenants.isolation.keys import KeyName

OURS, NEIGHBOUR = UUID(int=1), UUID(int=2)
ROOT = Path(__file__).parents[3]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "key"


def test_what_is_wrapped_opens_again_in_another_process(path):
    wrapped = LocalKeyFile.made_if_missing(path).wrap(b"k" * 32, KeyName(OURS, 1))
    assert b"k" * 32 not in wrapped
    assert LocalKeyFile(path).unwrap(wrapped, KeyName(OURS, 1)) == b"k" * 32


@pytest.mark.parametrize("name", [KeyName(NEIGHBOUR, 1), KeyName(OURS, 2)], ids=["neighbour", "version"])
def test_a_wrapped_key_opens_under_its_own_name_only(path, name):
    keys = LocalKeyFile.made_if_missing(path)
    with pytest.raises(Unreadable):
        keys.unwrap(keys.wrap(b"k" * 32, KeyName(OURS, 1)), name)


def test_a_wrapped_key_does_not_open_with_another_file(path, tmp_path):
    wrapped = LocalKeyFile.made_if_missing(path).wrap(b"k" * 32, KeyName(OURS, 1))
    with pytest.raises(Unreadable):
        LocalKeyFile.made_if_missing(tmp_path / "other").unwrap(wrapped, KeyName(OURS, 1))


def test_what_is_looked_up_is_hashed_with_the_file(path, tmp_path):
    keys, others = LocalKeyFile.made_if_missing(path), LocalKeyFile.made_if_missing(tmp_path / "other")
    hashed = keys.hashed("ann@example.com", "sign-in")
    assert hashed == LocalKeyFile(path).hashed("ann@example.com", "sign-in")
    assert hashed not in (
        keys.hashed("bob@example.com", "sign-in"),
        keys.hashed("ann@example.com", "portal"),
        others.hashed("ann@example.com", "sign-in"),
    )


def test_the_file_is_its_owners_alone_and_nothing_lies_beside_it(path):
    LocalKeyFile.made_if_missing(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(base64.b64decode(path.read_bytes())) == 32
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_is_there_is_kept(path):
    LocalKeyFile.made_if_missing(path)
    before = path.read_bytes()
    LocalKeyFile.made_if_missing(path)
    assert path.read_bytes() == before


def test_reading_never_makes_a_file(path):
    with pytest.raises(KeyFileUnusable, match="There is no key file at"):
        LocalKeyFile(path)
    assert not path.parent.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o666])
def test_a_file_that_others_may_open_is_refused(path, mode):
    LocalKeyFile.made_if_missing(path)
    path.chmod(mode)
    with pytest.raises(KeyFileUnusable, match=f"chmod 600 {path}"):
        LocalKeyFile(path)


def test_a_file_that_is_opened_to_others_later_is_refused_on_the_next_use(path):
    keys = LocalKeyFile.made_if_missing(path)
    path.chmod(0o644)
    with pytest.raises(KeyFileUnusable):
        keys.wrap(b"k" * 32, KeyName(OURS, 1))


@pytest.mark.parametrize("content", [b"", b"not base64!", base64.b64encode(b"short"), b"A" * 5000])
def test_a_file_that_holds_no_key_is_refused(path, content):
    LocalKeyFile.made_if_missing(path)
    path.write_bytes(content)
    with pytest.raises(KeyFileUnusable, match="does not hold 32 bytes in base64"):
        LocalKeyFile(path)


def test_a_folder_in_its_place_is_refused(path):
    path.mkdir(parents=True)
    with pytest.raises(KeyFileUnusable, match="can't be read: Is a directory"):
        LocalKeyFile.made_if_missing(path)


def test_a_full_disk_leaves_no_half_of_a_key(path, monkeypatch):
    def full(_descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KeyFileUnusable, match="can't be made: No space left on device"):
        LocalKeyFile.made_if_missing(path)
    assert list(path.parent.iterdir()) == []


def test_of_many_processes_at_once_all_use_one_key(path, tmp_path):
    script = """
import pathlib, sys, time
from uuid import UUID
from tenants.isolation.key_file import LocalKeyFile
from tenants.isolation.keys import KeyName
print("ready", flush=True)
sys.stdin.readline()
print(LocalKeyFile.made_if_missing(pathlib.Path(sys.argv[1])).wrap(b"k" * 32, KeyName(UUID(int=1), 1)).hex())
"""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(path)],
            cwd=ROOT,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(8)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate()[0] for process in processes]
    keys = LocalKeyFile(path)
    for answer in answers:
        assert keys.unwrap(bytes.fromhex(answer), KeyName(OURS, 1)) == b"k" * 32
    assert list(path.parent.iterdir()) == [path]


def test_a_lost_key_file_is_not_replaced_by_one_that_opens_nothing(tmp_path: Path) -> None:
    lost = tmp_path / "key"
    with pytest.raises(KeyFileUnusable, match="3 keys in the catalog are wrapped with it"):
        LocalKeyFile.made_if_missing(lost, needed_for=3)
    assert not lost.exists()
