"""Whom the servers run as: PostgreSQL refuses to run as root."""

import os
import pwd
import shutil
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tenants.foundation.servers.failure import ServerFailed

UNPRIVILEGED = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """The account a server runs as: our own, or an unprivileged one when we are root."""

    uid: int
    gid: int
    is_ours: bool

    @classmethod
    def for_data_in(cls, folder: Path) -> "Account":
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid(), is_ours=True)
        if folder.exists() and (owner := folder.stat()).st_uid != 0:
            return cls(owner.st_uid, owner.st_gid, is_ours=False)
        for name in UNPRIVILEGED:
            try:
                found = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(found.pw_uid, found.pw_gid, is_ours=False)
        raise ServerFailed(
            "PostgreSQL can't run as root, and there is no account `postgres` or `nobody` here."
        )

    def own(self, path: Path) -> None:
        if not self.is_ours:
            os.chown(path, self.uid, self.gid)

    def folder(self, path: Path) -> Path:
        """A folder that this account alone may enter."""
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.own(path)
        path.chmod(0o700)
        return path

    def command(self, command: Sequence[str], stops_by: signal.Signals, *needs: Path) -> list[str]:
        """The command that runs `command` as this account, able to reach the paths it needs."""
        if self.is_ours:
            return list(command)
        setpriv = shutil.which("setpriv")
        if not setpriv:
            raise ServerFailed("PostgreSQL can't run as root: use an ordinary account, or install `setpriv`.")
        ids = [f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups"]
        # A change of account takes the request of `children.Child` to end with us away; ask again.
        ends_with_us = [f"--pdeathsig={stops_by.name.removeprefix('SIG')}"]
        reach = (
            []
            if all(map(_open_to_all, needs))
            else ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
        )
        return [setpriv, *ids, *reach, *ends_with_us, "--", *command]


def _open_to_all(path: Path) -> bool:
    """Whether any account may walk to this path; below /root, for one, it may not."""
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)
