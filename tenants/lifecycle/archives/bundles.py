"""The bundle of an archive in storage: written from one snapshot, sealed; read back into a file nobody else reads."""

import hashlib
from collections.abc import Iterator
from contextlib import closing, contextmanager

from tenants.foundation.errors import Conflict
from tenants.foundation.sealed_spools import sealed_spool
from tenants.isolation.files import sealed_file, store_sealed, stored_files
from tenants.lifecycle.archives.running import Attempt
from tenants.portability.bundling import Bundling, snapshot
from tenants.portability.comparing import content_of
from tenants.portability.contents import tables
from tenants.portability.formats import Format
from tenants.portability.opening import OpenBundle, bundle_in

FOLDER = "archives/"


def write(attempt: Attempt) -> Bundling:
    """Write the whole tenant to storage; the name is this attempt's own, so that no other's is written over."""
    made = Bundling(Format.CSV, attempt.tell("writing"), whole=True)
    with snapshot(attempt.home), closing(made.pieces()) as pieces:
        store_sealed(name_of(attempt), pieces)
    return made


def name_of(attempt: Attempt) -> str:
    return f"{FOLDER}{attempt.archive.id}-{attempt.archive.attempt}"


@contextmanager
def read_back(attempt: Attempt) -> Iterator[OpenBundle]:
    """The bundle as storage gives it. It lies sealed in a file without a name, which is gone with this process.

    Raises Conflict when it is not, byte for byte, what was written, Unreadable when its seal is broken, and
    Unavailable when the disk of this machine is full.
    """
    archive = attempt.archive
    said, told = hashlib.sha256(), attempt.tell("reading back")
    with sealed_spool() as file:
        with sealed_file(archive.tenant_id, str(archive.file)) as chunks:
            for chunk in chunks:
                said.update(chunk)
                file.write(chunk)
                told("", 0)
        if said.hexdigest() != archive.sha256:
            raise Conflict("The archive in storage is not the one that was written.", code="archive_damaged")
        with bundle_in(file) as bundle:
            yield bundle


def content_of_schema(attempt: Attempt) -> dict[str, str]:
    """The content hash of every table as it is in the tenant's schema."""
    return content_of(attempt.home, attempt.tell("comparing"), tables(whole=True))


def remove_others(attempt: Attempt, *, but: str | None) -> None:
    """Remove what attempts left in storage that were overtaken or killed, all but one file."""
    storage = stored_files(attempt.archive.tenant_id)
    mine = f"{FOLDER}{attempt.archive.id}-"
    for name in list(storage.list()):
        if name.startswith(mine) and name != but:
            storage.delete(name)
