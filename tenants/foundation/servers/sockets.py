"""A folder for sockets whose path is short and plain enough for every program that has to use it."""

import hashlib
import os
import re
import stat
import tempfile
from pathlib import Path

from tenants.foundation.servers.account import Account
from tenants.foundation.servers.failure import ServerFailed

#: A socket's address holds 107 bytes on Linux and 103 on macOS; the longest name in the folder has 13.
LONGEST_FOLDER = 85


def socket_folder(data_dir: Path, account: Account) -> Path:
    beside_data = data_dir / "sockets"
    # A path with spaces or umlauts would have to be quoted in three kinds of URL.
    if len(str(beside_data)) <= LONGEST_FOLDER and re.fullmatch(r"[\w./-]+", str(beside_data), re.ASCII):
        return account.folder(beside_data)
    name = hashlib.sha256(str(data_dir).encode()).hexdigest()[:12]
    return _private_folder(Path(tempfile.gettempdir()).resolve() / f"freehold-{name}", account)


def _private_folder(path: Path, account: Account) -> Path:
    """Everybody may write to the temporary folder: take nothing there that somebody else prepared."""
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), account.uid}:
        raise ServerFailed(
            f"{path} belongs to somebody else; remove it, or use a --data-dir with a shorter path."
        )
    return account.folder(path)
