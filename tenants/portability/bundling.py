"""Makes the bundle of a tenant, piece by piece, from one snapshot of its data."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy import func, select

from tenants.access.caller import SYSTEM, act_as
from tenants.catalog.registry import Home
from tenants.foundation.tables import Source
from tenants.identity.models import TenantProfile
from tenants.isolation.door import Tenancy, db, here, inside
from tenants.portability.choosing import Portion
from tenants.portability.contents import tables
from tenants.portability.descriptor import DESCRIPTOR, README, About, TableFile, descriptor
from tenants.portability.formats import Format
from tenants.portability.lines import lines_of
from tenants.portability.readme import readme
from tenants.portability.zipping import Written, ZippedFile, ZipStream
from tenants.provisioning.models import SchemaRevision

SNAPSHOT = "isolation level repeatable read read only"
PATIENCE_SECONDS = 24 * 3600.0
Told = Callable[[str, int], None]


@contextmanager
def snapshot(home: Home) -> Iterator[Tenancy]:
    """Everything in the block sees the tenant as it was at one moment, however long it takes."""
    with inside(home, isolation=SNAPSHOT, patience_seconds=PATIENCE_SECONDS) as tenancy:
        act_as(SYSTEM, source=Source.SYSTEM)
        yield tenancy


class Bundling:
    """One bundle on its way, of everything or of some portions.

    `tell` hears of each table's name and how many rows are written so far.
    """

    about: About

    def __init__(
        self,
        format_: str,
        tell: Told = lambda _table, _rows: None,
        *,
        portions: Sequence[Portion] = (),
    ) -> None:
        self._format, self._tell, self._chosen = Format(format_), tell, portions
        self.files: list[TableFile] = []
        self.rows, self.size = 0, 0
        self._hash = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Of the pieces so far; of the whole zip once they have ended."""
        return self._hash.hexdigest()

    def pieces(self) -> Iterator[bytes]:
        """The zip, in pieces of a few hundred KiB. Runs inside `snapshot`."""
        for piece in self._written():
            self.size += len(piece)
            self._hash.update(piece)
            yield piece

    def _written(self) -> Iterator[bytes]:
        said = tuple(each.said for each in self._chosen if each.said)
        self.about = about = replace(about_tenant(), chosen=said)
        stream = ZipStream(about.snapshot_at)
        for portion in self._chosen or map(Portion, tables()):
            table, before = portion.table, self.rows
            with stream.file(f"{table.path}.{self._format}") as file:
                for _ in _one_ahead(file.write, self._content(portion)):
                    yield from stream.pieces()
            self.files.append(TableFile(table, file.written(), self.rows - before))
        page = readme(about, self._format, self.files).encode()
        written = _whole_file(stream, README, page)
        _whole_file(stream, DESCRIPTOR, descriptor(about, self._format, self.files, written))
        yield from stream.end()

    def counts(self) -> dict[str, int]:
        """How many rows each table has."""
        return {each.table.name: each.rows for each in self.files}

    def _content(self, portion: Portion) -> Iterator[bytes]:
        condition = portion.ready()
        for count, content in lines_of(portion.table, self._format, here().home.id, condition):
            self.rows += count
            self._tell(portion.table.name, self.rows)
            yield content


def _one_ahead(write: Callable[[bytes], None], contents: Iterator[bytes]) -> Iterator[None]:
    """Compress one piece in a thread while the database sends the next: neither holds Python's lock meanwhile."""
    with ThreadPoolExecutor(1) as thread:
        under_way = None
        for content in contents:
            if under_way:
                under_way.result()
                yield
            under_way = thread.submit(write, content)
        if under_way:
            under_way.result()
    yield


def about_tenant() -> About:
    """Whose transaction this is, as the bundle says it."""
    profile = db().execute(select(TenantProfile.id, TenantProfile.slug, TenantProfile.name, func.now())).one()
    revision = db().execute(select(SchemaRevision.revision)).scalar_one()
    return About(str(profile[0]), profile[1], profile[2], revision, profile[3])


def expected_rows() -> int:
    """About how many rows there are, by PostgreSQL's own estimate; for a progress bar and nothing else."""
    names = [each.name for each in tables()]
    estimate = sa.text(
        "select coalesce(sum(greatest(reltuples, 0)), 0)::bigint from pg_class"
        " where relname = any(:names) and relnamespace = current_schema()::regnamespace"
    )
    return int(db().execute(estimate, {"names": names}).scalar_one())


def _whole_file(stream: ZipStream, path: str, content: bytes) -> Written:
    file: ZippedFile
    with stream.file(path) as file:
        file.write(content)
    return file.written()
