"""Files of tenants in a local folder: a full disk, a limit of the system, a folder that can't be made."""

import errno
import os
import subprocess
import sys

import pytest

from tenants.isolation.storage import StorageFailed, storage_from
from tests.tenants.isolation.stored_files import OURS, ROOT, read


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path, monkeypatch):
    ours = storage_from(tmp_path.as_uri()).for_tenant(OURS)
    ours.write("a", [b"older"])

    def full(_descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFailed, match="can't be written: the disk is full"):
        ours.write("a", [b"newer"])
    assert read(ours, "a") == b"older"
    assert list((tmp_path / ".unfinished").iterdir()) == []


def test_a_limit_of_the_system_in_the_middle_of_a_file_leaves_nothing(tmp_path):
    script = """
import resource, sys
from uuid import UUID
from tenants.isolation.storage import StorageFailed, storage_from
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    storage_from(sys.argv[1]).for_tenant(UUID(int=1)).write("a", [bytes(65536)] * 3)
except StorageFailed as failure:
    print(failure)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path.as_uri()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.endswith("can't be written: File too large.\n")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_files_are_their_owners_alone(tmp_path):
    storage_from(tmp_path.as_uri()).for_tenant(OURS).write("a", [b"x"])
    assert (tmp_path / f"t_{OURS.hex}" / "a").stat().st_mode & 0o077 == 0


def test_a_folder_that_can_not_be_made_is_said(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    ours = storage_from((tmp_path / "file").as_uri()).for_tenant(OURS)
    with pytest.raises(StorageFailed, match=r"can't be written: (Not a directory|File exists)"):
        ours.write("a", [b"x"])
    with pytest.raises(StorageFailed, match="can't be read: Not a directory"):
        read(ours, "a")


def test_a_folder_needs_no_boto3(tmp_path):
    script = """
import sys
from uuid import UUID
from tenants.isolation.storage import storage_from
storage_from(sys.argv[1]).for_tenant(UUID(int=1)).write("a", [b"x"])
print("boto3" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path.as_uri()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False\n"
