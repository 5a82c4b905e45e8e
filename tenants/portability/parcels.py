"""Parcels: what a zip has of some attachments is stored once it is finished, for the next attempt if this one breaks off.

An attachment never changes. One that a new snapshot shows as the parcel has it is in the bundle already, and is neither
read nor compressed nor stored again. A parcel is named after the first attachment in it; its list is stored after it, so
a parcel without a list is not known to be whole, and does not count.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

import structlog

from tenants.foundation.encryption import Unreadable
from tenants.foundation.errors import Unavailable
from tenants.isolation.files import files, opened_file, store_sealed
from tenants.isolation.storage import NotStored
from tenants.portability.files import BundledFiles
from tenants.portability.zipping import Entry, ZipStream

log = structlog.get_logger(__name__)
FOLDER = "exports/"
LIST = ".json"
#: What a crash can cost at most, but for a single file that is larger.
PARCEL_BYTES = 128 * 1024 * 1024
PARCEL_FILES = 1000
Heard = Callable[[bytes], None]


def file_of(export_id: object, attempt: int) -> str:
    """Where an export is stored with us; each attempt has its own file, so that none overwrites another's."""
    return f"{FOLDER}{export_id}-{attempt}"


def attempt_of(file: str) -> int:
    """The number of the attempt whose file this is."""
    return int(file.rpartition("-")[2])


def folder_of(export_id: object) -> str:
    """Where the parcels of an export are."""
    return f"{FOLDER}{export_id}/"


@dataclass(frozen=True)
class Packed:
    """What a parcel holds: the attachments that were looked at, those of them without a file, and the files' places."""

    attachments: list[list[Any]]
    missing: list[str]
    entries: list[Entry]
    length: int


class Parcels:
    """The parcels of one export. `attempt` keeps apart what attempts write that don't know of each other."""

    def __init__(self, export_id: UUID, attempt: int) -> None:
        self._folder, self._attempt = folder_of(export_id), attempt
        self.names: list[str] = []

    def pack(self, attached: BundledFiles, stream: ZipStream, hear: Heard) -> None:
        """Have all files written, as the beginning of the zip; `hear` gets every byte of it. Runs inside the snapshot.

        Raises as `BundledFiles.written` does, and Unavailable when an earlier parcel is no longer whole: the next
        attempt makes it anew.
        """
        before = self._before()
        for rows in in_groups(attached.rows(), before.keys()):
            name, said = before.get(str(rows[0].id)), _said(rows)
            packed = _list_of(name) if name else None
            if name and packed and packed.attachments == said:
                _hear_again(name, packed.length, hear)
                stream.adopt(packed.entries, packed.length)
                attached.missing.extend(packed.missing)
            else:
                name = f"{self._folder}{rows[0].id}-{self._attempt}"
                _pack(name, rows, attached, stream, hear)
            self.names.append(name)

    def _before(self) -> dict[str, str]:
        """The whole parcels that earlier attempts left, by the attachment that each begins with."""
        lists = [name for name in files().list(self._folder) if name.endswith(LIST)]
        return {_first_of(name): name.removesuffix(LIST) for name in lists}

    def others(self) -> list[str]:
        """What is stored of this export's parcels and not needed once it is finished."""
        return [name for name in files().list(self._folder) if name not in set(self.names)]


def in_groups(rows: Iterable[Any], starts: Collection[str]) -> Iterator[list[Any]]:
    """Attachments as parcels hold them; one that a parcel begins with begins one again.

    So the other parcels stay as they are when an attachment was removed meanwhile.
    """
    group: list[Any] = []
    size = 0
    for row in rows:
        full = size >= PARCEL_BYTES or len(group) >= PARCEL_FILES
        if group and (full or str(row.id) in starts):
            yield group
            group, size = [], 0
        group.append(row)
        size += row.size
    if group:
        yield group


def _pack(name: str, rows: Sequence[Any], attached: BundledFiles, stream: ZipStream, hear: Heard) -> None:
    began, missing = stream.length, len(attached.missing)

    def pieces() -> Iterator[bytes]:
        for piece in attached.some(rows, stream):
            hear(piece)
            yield piece

    store_sealed(name, pieces())
    packed = Packed(_said(rows), attached.missing[missing:], stream.entries(began), stream.length - began)
    store_sealed(name + LIST, [json.dumps(asdict(packed)).encode()])


def _list_of(name: str) -> Packed | None:
    try:
        with opened_file(name + LIST) as chunks:
            said = json.loads(b"".join(chunks))
    except (NotStored, Unreadable) as error:
        log.warning("parcel_left_aside", name=name, reason=str(error))
        return None
    entries = [Entry(**{**each, "at": tuple(each["at"])}) for each in said["entries"]]
    return Packed(said["attachments"], said["missing"], entries, said["length"])


def _hear_again(name: str, length: int, hear: Heard) -> None:
    """The bytes of a parcel, for the hash of the whole, which shows besides that they are all there."""
    heard = 0
    try:
        with opened_file(name) as chunks:
            for chunk in chunks:
                heard += len(chunk)
                hear(chunk)
    except (NotStored, Unreadable) as error:
        log.warning("parcel_left_aside", name=name, reason=str(error))
    if heard != length:
        files().delete(name + LIST)
        raise Unavailable("Files that were finished are no longer as they were stored. They are read again.")


def _said(rows: Iterable[Any]) -> list[list[Any]]:
    return [[str(each.id), each.name, each.media_type, each.size, each.sha256] for each in rows]


def _first_of(name: str) -> str:
    return name.rpartition("/")[2].rpartition("-")[0]
