"""Writes a tenant's bundle to a file of this machine, for whoever runs the program."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from tenants.access.caller import SYSTEM, act_as
from tenants.audit.recording import record_event
from tenants.catalog.registry import Home
from tenants.foundation.identifiers import new_id
from tenants.foundation.tables import Source
from tenants.foundation.whole_files import UnfinishedFile
from tenants.isolation.door import inside
from tenants.portability.bundling import Bundling, expected_rows, snapshot
from tenants.portability.encrypting import recipients_of
from tenants.portability.formats import Format
from tenants.portability.telling import Told, to_nobody


def take_out(
    home: Home,
    file: Path,
    format_: Format,
    tell: Told = to_nobody,
    *,
    encrypt_to: Sequence[str] = (),
) -> Bundling:
    """The bundle, whole or not at all, encrypted to these age recipients if there are any.

    The tenant's own audit log says that it was taken.

    `tell` hears of the table, and of the rows so far. Raises Invalid for a recipient that is none, and OSError
    when the file can't be written.
    """
    recipients_of(encrypt_to)
    made = Bundling(format_, tell, encrypt_to=encrypt_to)
    unfinished = UnfinishedFile(file.absolute().parent)
    try:
        with snapshot(home), closing(made.pieces()) as pieces:
            for piece in pieces:
                unfinished.write(piece)
        with inside(home):
            act_as(SYSTEM, request_id="take-out", source=Source.SYSTEM)
            record_event("exports.taken_out", "exports", new_id(), {"sha256": [None, made.sha256]})
        unfinished.put_at(file.absolute())
    finally:
        unfinished.abandon()
    return made


def rows_expected(home: Home) -> int:
    """About how many rows a bundle will have, for a progress bar."""
    with snapshot(home):
        return expected_rows()
