"""Makes the bundle of a tenant, piece by piece, from one snapshot of its data."""

import hashlib
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
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
from tenants.portability.database import Database
from tenants.portability.descriptor import DATABASE, DESCRIPTOR, README, About, TableFile, descriptor
from tenants.portability.encrypting import encrypted
from tenants.portability.files import TABLE as ATTACHMENTS
from tenants.portability.files import BundledFiles
from tenants.portability.formats import Format
from tenants.portability.lines import lines_of
from tenants.portability.parcels import Parcels
from tenants.portability.readme import readme
from tenants.portability.telling import Told, to_nobody
from tenants.portability.zipping import Written, ZippedFile, ZipStream
from tenants.provisioning.models import SchemaRevision

SNAPSHOT = "isolation level repeatable read read only"
PATIENCE_SECONDS = 24 * 3600.0
Pieces = Generator[bytes, None, None]


@contextmanager
def snapshot(home: Home) -> Iterator[Tenancy]:
    """Everything in the block sees the tenant as it was at one moment, however long it takes."""
    with inside(home, isolation=SNAPSHOT, patience_seconds=PATIENCE_SECONDS) as tenancy:
        act_as(SYSTEM, source=Source.SYSTEM)
        yield tenancy


class Bundling:
    """One bundle on its way, of everything or of some portions; `encrypt_to` are age recipients.

    `tell` hears of each table's name and how many rows are written so far. With `parcels`, the files at the beginning of
    the zip are stored there and are no part of `pieces`; size and SHA-256 are those of the whole.
    """

    about: About

    def __init__(
        self,
        format_: str,
        tell: Told = to_nobody,
        *,
        portions: Sequence[Portion] = (),
        encrypt_to: Sequence[str] = (),
        whole: bool = False,
        parcels: Parcels | None = None,
    ) -> None:
        self._format, self._tell, self._chosen = Format(format_), tell, portions
        self._encrypt_to, self._whole, self.parcels = encrypt_to, whole, parcels
        self.files: list[TableFile] = []
        self.rows, self.size = 0, 0
        self._hash = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Of the pieces so far; of the whole file once they have ended, which may be an encrypted one."""
        return self._hash.hexdigest()

    def pieces(self) -> Pieces:
        """The zip, in pieces of a few hundred KiB. Runs inside `snapshot`.

        Whoever breaks off closes it: a COPY that is under way holds up the end of the transaction.
        """
        written = self._written()
        with closing(encrypted(written, self._encrypt_to) if self._encrypt_to else written) as pieces:
            for piece in pieces:
                self._hear(piece)
                yield piece

    def _hear_of_files(self, piece: bytes) -> None:
        self._hear(piece)
        self._tell(ATTACHMENTS, self.rows)

    def _hear(self, piece: bytes) -> None:
        self.size += len(piece)
        self._hash.update(piece)

    def _written(self) -> Pieces:
        said = tuple(each.said for each in self._chosen if each.said)
        self.about = about = replace(about_tenant(), chosen=said, whole=self._whole)
        stream = ZipStream(about.snapshot_at)
        chosen = self._chosen or [Portion(each) for each in tables(whole=self._whole)]
        # The files of a tenant that is put away stay where they are.
        attached = BundledFiles(() if self._whole else chosen)
        if self.parcels:
            self.parcels.pack(attached, stream, self._hear_of_files)
        else:
            for piece in attached.written(stream):
                self._tell(ATTACHMENTS, self.rows)
                yield piece
        yield from (
            self._database(stream, chosen) if self._format is Format.SQLITE else self._tables(stream, chosen)
        )
        page = readme(about, self._format, self.files).encode()
        package = descriptor(about, self._format, self.files, _whole_file(stream, README, page))
        with stream.file(DESCRIPTOR) as file:
            for piece in attached.described(package):
                file.write(piece)
                yield from stream.pieces()
        yield from stream.end()

    def counts(self) -> dict[str, int]:
        """How many rows each table has."""
        return {each.table.name: each.rows for each in self.files}

    def _tables(self, stream: ZipStream, chosen: Sequence[Portion]) -> Iterator[bytes]:
        """A file for each table."""
        for portion in chosen:
            table, before = portion.table, self.rows
            content = self._content(portion)
            if self._format is Format.PARQUET:
                from tenants.portability.parquet import parquet_of  # 20 MB that few processes need

                content = parquet_of(table, content)
            with stream.file(f"{table.path}.{self._format}") as file:
                for _ in _one_ahead(file.write, content):
                    yield from stream.pieces()
            self.files.append(TableFile(table, file.written(), self.rows - before))

    def _database(self, stream: ZipStream, chosen: Sequence[Portion]) -> Iterator[bytes]:
        """All tables in one file. It is written once all of them are in it."""
        rows: dict[str, int] = {}
        with closing(Database()) as database:
            for portion in chosen:
                before = self.rows
                with closing(self._content(portion)) as lines:
                    for _ in database.fill(portion.table, lines, alone=bool(self.about.chosen)):
                        yield from stream.pieces()
                rows[portion.table.name] = self.rows - before
            with stream.file(DATABASE) as file:
                for _ in _one_ahead(file.write, database.content()):
                    yield from stream.pieces()
        self.files += [TableFile(each.table, file.written(), rows[each.table.name]) for each in chosen]

    def _content(self, portion: Portion) -> Pieces:
        with closing(lines_of(portion.table, self._format, here().home.id, portion.ready())) as lines:
            for count, content in lines:
                self.rows += count
                self._tell(portion.table.name, self.rows)
                yield content


def _one_ahead(write: Callable[[bytes], None], contents: Pieces) -> Iterator[None]:
    """Compress one piece in a thread while the database sends the next: neither holds Python's lock meanwhile."""
    with ThreadPoolExecutor(1) as thread, closing(contents):
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
    profile = select(TenantProfile.id, TenantProfile.slug, TenantProfile.name, func.now().label("at"))
    found = db().execute(profile).one()
    revision = db().execute(select(SchemaRevision.revision)).scalar_one()
    return About(str(found.id), found.slug, found.name, revision, found.at)


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
