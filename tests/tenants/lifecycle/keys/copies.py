"""Copies of a tenant as somebody might have kept them: its tables by pg_dump, its files by cp, its wrapped keys."""

import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from tenants.catalog.registry import Home
from tenants.foundation.encryption import Context, DataKey, key_version, unseal
from tenants.foundation.sealed_streams import unseal_stream
from tenants.foundation.servers.postgresql import _binaries
from tenants.foundation.settings import Settings
from tenants.isolation.conninfo import conninfo
from tenants.isolation.files import place_of
from tenants.isolation.resealing import sealed_tables
from tenants.lifecycle.keys.versions import key_versions

KeyOf = Callable[[int], DataKey]


@dataclass
class Copy:
    """What somebody kept. `opened` tries everything that is sealed in it; what it gives is in clear."""

    home: Home
    dump: Path
    files: Path
    wrapped: dict[int, bytes]
    admin_url: str

    def opened(self, key_of: KeyOf) -> list[bytes]:
        return [*self._rows(key_of), *self._files(key_of)]

    def failures(self, key_of: KeyOf, error: type[Exception]) -> int:
        """How many things in it are sealed; each has to fail with this error, or it is raised as it is."""
        count = 0
        for sealed, place in self._sealed_rows():
            count += _fails(lambda sealed=sealed, place=place: _value(key_of, sealed, place), error)
        for path in self.paths():
            count += _fails(lambda path=path: self.file(key_of, path), error)
        return count

    def _rows(self, key_of: KeyOf) -> Iterator[bytes]:
        for sealed, place in self._sealed_rows():
            yield _value(key_of, sealed, place)

    def _files(self, key_of: KeyOf) -> Iterator[bytes]:
        for path in self.paths():
            yield self.file(key_of, path)

    def file(self, key_of: KeyOf, path: Path) -> bytes:
        place = place_of(self.home.id, path.relative_to(self.files).as_posix())
        return b"".join(unseal_stream(key_of, [path.read_bytes()], place))

    def paths(self) -> list[Path]:
        return [path for path in sorted(self.files.rglob("*")) if path.is_file()]

    def _sealed_rows(self) -> Iterator[tuple[bytes, Context]]:
        with self._restored() as connection:
            for table, columns in sealed_tables():
                for column in columns:
                    query = sql.SQL("select id, {} from {} where {} is not null").format(
                        sql.Identifier(column), sql.Identifier(self.home.role, table), sql.Identifier(column)
                    )
                    for row_id, sealed in connection.execute(query).fetchall():
                        yield bytes(sealed), Context(self.home.id, table, column, row_id)

    @contextmanager
    def _restored(self) -> Iterator[psycopg.Connection]:
        """The dump in a database of its own."""
        name = f"copy_{secrets.token_hex(4)}"
        with psycopg.connect(conninfo(self.admin_url), autocommit=True) as admin:
            admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
            try:
                url = conninfo(make_url(self.admin_url).set(database=name))
                _run("psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", str(self.dump))
                with psycopg.connect(url) as connection:
                    yield connection
            finally:
                admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@dataclass
class Server:
    """The servers as whoever makes backups sees them; copies go into a folder."""

    settings: Settings
    admin_url: str
    folder: Path

    def copy_of(self, home: Home) -> Copy:
        """Everything of a tenant that anybody could have copied, and its wrapped keys out of the catalog."""
        folder = self.folder / home.role
        folder.mkdir()
        made = Copy(home, folder / "dump.sql", folder / "files", {}, self.admin_url)
        dumped(made.dump, self._database, "-n", home.role, "--no-owner", "--no-privileges")
        self.files_of(home, f"{home.role}/files")
        made.wrapped = dict(key_versions().catalog.wrapped_keys(home.id))
        return made

    def files_of(self, home: Home, name: str) -> Path:
        """A copy of all of a tenant's files, in a folder of this name."""
        storage = Path(unquote(urlsplit(self.settings.storage).path))
        return Path(shutil.copytree(storage / home.role, self.folder / name))

    def whole_dump(self) -> bytes:
        """The whole database, all tenants and the catalog."""
        dumped(self.folder / "whole.sql", self._database)
        return (self.folder / "whole.sql").read_bytes()

    @property
    def _database(self) -> str:
        database = make_url(self.settings.database_url).database
        return conninfo(make_url(self.admin_url).set(database=database))


def dumped(file: Path, url: str, *options: str) -> None:
    _run("pg_dump", "-d", url, "-f", str(file), *options)


def _run(program: str, *arguments: str) -> None:
    done = subprocess.run([_binaries() / program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _value(key_of: KeyOf, sealed: bytes, place: Context) -> bytes:
    return unseal(key_of(key_version(sealed)), sealed, place)


def _fails(ask: Callable[[], object], error: type[Exception]) -> int:
    try:
        ask()
    except error:
        return 1
    raise AssertionError("Something opened that must not.")
