"""The files of attachments in a bundle: out of storage and unsealed, checked without a server, sealed where they arrive.

Each is `files/<id of the attachment>/<name>`. datapackage.json has its size and SHA-256, as the row in
`data/attachments` has.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, false, select

from tenants.attachments.ending import BUNDLING
from tenants.attachments.models import Attachment, file_of
from tenants.attachments.naming import clean_name
from tenants.attachments.reading import altered
from tenants.foundation.encryption import Unreadable
from tenants.foundation.errors import Conflict
from tenants.isolation.door import db
from tenants.isolation.files import opened_file, store_sealed
from tenants.isolation.storage import NotStored
from tenants.isolation.turns import hold_open
from tenants.portability.choosing import Portion
from tenants.portability.described import Described, DescribedTable
from tenants.portability.opening import OpenBundle
from tenants.portability.rows import Measured, Values
from tenants.portability.telling import Told
from tenants.portability.zipping import ZipStream

FOLDER = "files/"
TABLE = Attachment.__tablename__
AT_ONCE = 1000
#: How datapackage.json ends; its resources are the last that is in it.
END = b"\n  ]\n}\n"
SAID = ("id", "name", "size", "sha256")


def path_of(attachment_id: object, name: str) -> str:
    """Where a bundle has the file of an attachment."""
    return f"{FOLDER}{attachment_id}/{clean_name(name)}"


class BundledFiles:
    """The files of one bundle: those of the attachments whose rows are in it. Runs inside its snapshot."""

    def __init__(self, chosen: Sequence[Portion]) -> None:
        rows = [each for each in chosen if each.table.name == TABLE]
        self._condition = rows[0].ready() if rows else false()
        self.missing: list[str] = []
        # From here on nobody removes a file that the snapshot still shows.
        hold_open(BUNDLING)

    def written(self, stream: ZipStream) -> Iterator[bytes]:
        """The pieces of the zip while the files go into it. What storage lost is left out and said to be missing.

        Raises Conflict for a file that was altered in storage, StorageFailed when that is away, and KeyUnopened.
        """
        yield from self.some(self.rows(), stream)

    def rows(self) -> Iterator[Any]:
        """The attachments in the order of their ids, by which they were added: id, name, media_type, size, sha256."""
        return _attachments(self._condition)

    def some(self, rows: Iterable[Any], stream: ZipStream) -> Iterator[bytes]:
        """Likewise, of these attachments."""
        for each in rows:
            try:
                yield from self._one(stream, each)
                yield from stream.pieces()
            except NotStored:
                self.missing.append(str(each.id))
            except Unreadable as error:
                raise altered(each.id) from error

    def described(self, package: bytes) -> Iterator[bytes]:
        """datapackage.json with a resource for each file; however many they are, a few are in memory."""
        if not package.endswith(END):
            raise ValueError("The resources are not the last in datapackage.json.")
        yield package.removesuffix(END)
        gone = set(self.missing)
        for each in self.rows():
            if str(each.id) not in gone:
                yield b",\n    " + json.dumps(_resource(each), ensure_ascii=False).encode()
        missing = f'\n  ],\n  "missingFiles": {json.dumps(self.missing)}\n}}\n'.encode()
        yield missing if self.missing else END

    def _one(self, stream: ZipStream, each: Any) -> Iterator[bytes]:
        with opened_file(file_of(each.id)) as chunks, stream.file(path_of(each.id, each.name)) as file:
            for chunk in chunks:
                file.write(chunk)
                yield from stream.pieces()
        written = file.written()
        if (written.size, written.sha256) != (each.size, each.sha256):
            raise altered(each.id)


class ExpectedFiles:
    """What the rows of attachments say of the files of a bundle, held against what datapackage.json says of them."""

    def __init__(self, described: Described) -> None:
        self._unclaimed = {each.path: each for each in described.others if each.path.startswith(FOLDER)}
        self._missing = set(described.missing_files)
        self._stay = described.whole  # the files of a tenant that is put away stay where they are
        self._looked = False

    def look_at(self, table: DescribedTable) -> Callable[[Values], Iterator[str]]:
        """What is wrong with the file of a row of this table: the ends of sentences."""
        places = {each.name: place for place, each in enumerate(table.fields)}
        if self._stay or table.name != TABLE or not places.keys() >= set(SAID):
            return lambda _values: iter(())
        self._looked = True
        return lambda values: self._wrong(*(values[places[name]] for name in SAID))

    def unclaimed(self) -> Iterator[str]:
        """Files that belong to no row, once all rows were looked at."""
        return iter(sorted(self._unclaimed) if self._looked else ())

    def _wrong(
        self, id_: str | None, name: str | None, size: str | None, sha256: str | None
    ) -> Iterator[str]:
        found = self._unclaimed.pop(path_of(id_, name or ""), None)
        if found is None:
            if id_ not in self._missing:
                yield "its file is not in the bundle"
        elif (str(found.bytes), found.sha256) != (size, sha256):
            yield "its file is another one: size and SHA-256 of the row are not those of the file"


def bring_files_in(bundle: OpenBundle, tell: Told) -> None:
    """Store the file of every attachment that has arrived, sealed for the tenant at hand.

    Raises Conflict when one is not what its row says, and StorageFailed.
    """
    for count, each in enumerate(_attachments(), start=1):
        path = path_of(each.id, each.name)
        if path not in bundle.files:
            continue
        with bundle.open(path) as stream:
            measured = Measured(stream)
            store_sealed(file_of(each.id), measured.chunks())
        if (measured.size, measured.sha256()) != (each.size, each.sha256):
            raise Conflict(f"{path} is not the file that its row speaks of. Nothing was kept.")
        tell(TABLE, count)


def _attachments(condition: ColumnElement[bool] | None = None) -> Iterator[Any]:
    columns = (Attachment.id, Attachment.name, Attachment.media_type, Attachment.size, Attachment.sha256)
    query = select(*columns).order_by(Attachment.id).limit(AT_ONCE)
    if condition is not None:
        query = query.where(condition)
    rows: Sequence[Any] = db().execute(query).all()
    while rows:
        yield from rows
        rows = db().execute(query.where(Attachment.id > rows[-1].id)).all()


def _resource(each: Any) -> dict[str, Any]:
    return {
        "name": f"file-{each.id}",
        "path": path_of(each.id, each.name),
        "profile": "data-resource",
        "mediatype": each.media_type,
        "bytes": each.size,
        "hash": f"sha256:{each.sha256}",
    }
