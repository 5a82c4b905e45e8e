"""Other installations, on a server of their own: what backups, bundles and commands are brought to."""

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
import pytest
from sqlalchemy import make_url

from tenants.foundation.servers import EmbeddedServers
from tenants.foundation.settings import Settings
from tenants.isolation.bootstrap import LOGINS, Logins, bootstrap


@dataclass
class Elsewhere:
    """An installation on a server of its own, with the same key of keys; commands run there.

    Its backups and keyring are its own, until a restore begins with a copy of the others'.
    """

    settings: Settings
    logins: Logins
    admin_url: str
    folder: Path
    changes: dict[str, str] = field(default_factory=dict)
    program: str = "crm.cli"

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", self.program, *words, "--data-dir", str(self.folder)]
        return subprocess.run(
            command, env=self.environment(), capture_output=True, text=True, check=False, timeout=250
        )

    def told(self, *words: str) -> Any:
        """What a command that succeeds says as JSON."""
        done = self.run(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def restore(self, backup: str) -> Any:
        """Bring in a backup of the session's installation, from a copy of where that has it."""
        self.copy_backups()
        return self.told("backup", "restore", backup, "--adopt")

    def copy_backups(self) -> None:
        """Take a copy of the backups and of the keyring as they are now; files are linked: nobody writes into one."""
        for name in ("backups", "keyring"):
            copy_place(getattr(self.settings, name), self.folder / name)

    def rows(self, statement: str, *values: object, schema: str = "catalog") -> list[tuple[Any, ...]]:
        with psycopg.connect(self.admin_url, options=f"-c search_path={schema}") as connection:
            return connection.execute(statement.encode(), values).fetchall()

    def environment(self) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("FREEHOLD_")}
        return {
            **ours,
            "DATABASE_URL": self.logins.app,
            "FREEHOLD_CATALOG_DATABASE_URL": self.logins.catalog,
            "FREEHOLD_STAFF_DATABASE_URL": self.logins.staff,
            "FREEHOLD_OWNER_DATABASE_URL": self.logins.owner,
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "FREEHOLD_STORAGE": (self.folder / "storage").as_uri(),
            "FREEHOLD_BACKUPS": (self.folder / "backups").as_uri(),
            "FREEHOLD_KEYRING": (self.folder / "keyring").as_uri(),
            "FREEHOLD_KEY_FILE": str(self.settings.key_file),
            **self.changes,
        }


def copy_place(url: str, to: Path) -> None:
    """Copy a folder of files, its mark with it, to where there is none or an older copy."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(unquote(urlsplit(url).path), to, copy_function=os.link)


@pytest.fixture(scope="session")
def other_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServers]:
    with EmbeddedServers(tmp_path_factory.mktemp("elsewhere"), redis=False, fsync=False) as running:
        yield running


@pytest.fixture
def elsewhere(
    settings: Settings, other_servers: EmbeddedServers, tmp_path: Path
) -> Iterator[Callable[[], Elsewhere]]:
    """Makes an empty installation; one at a time, because roles belong to a server as a whole."""
    made: list[Elsewhere] = []

    def make() -> Elsewhere:
        name = f"elsewhere_{secrets.token_hex(4)}"
        passwords = {login: secrets.token_hex(16) for login in LOGINS}
        logins = bootstrap(other_servers.admin_url, passwords, database=name)
        admin = make_url(other_servers.admin_url).set(database=name, drivername="postgresql")
        url = admin.render_as_string(hide_password=False)
        made.append(Elsewhere(settings, logins, url, tmp_path / name))
        return made[-1]

    yield make
    with psycopg.connect(other_servers.admin_url, autocommit=True) as admin:
        for each in made:
            admin.execute(f'drop database "{make_url(each.admin_url).database}" with (force)'.encode())
        for (role,) in admin.execute("select rolname from pg_roles where rolname ~ '^t_'").fetchall():
            admin.execute(f'drop role "{role}"'.encode())
