"""Takes an uploaded file in: looks whether it is a table, works out the plan, and stores it sealed."""

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from werkzeug.datastructures import FileStorage

import crm.imports.resources  # noqa: F401 - what can be imported is declared there
from crm.imports.closed import closed_targets, must_be_open
from crm.imports.guessing import guessed
from crm.imports.jobs import run_import
from crm.imports.models import Import, Mode
from crm.imports.own_fields import importable_here
from crm.imports.plan import as_mapping, read_plan
from crm.imports.tables import CHUNK, form_of
from tenants.access.caller import acting
from tenants.access.policy import save
from tenants.audit.recording import record_event
from tenants.foundation.identifiers import new_id
from tenants.isolation.files import files, store_sealed

LONGEST_NAME = 200


def accept(upload: FileStorage, said: dict[str, Any]) -> Import:
    """Store the file and have it imported after the commit.

    Raises Invalid when it is no table or the mapping doesn't fit, NotAllowed when the caller may not do to the
    resource what the mode asks for, or set a field that a column goes to.
    """
    importable = importable_here(said["resource"])
    mode = Mode(said["mode"])
    if mode is not Mode.UPDATE:
        acting().caller.must(importable.create)
    if mode is not Mode.CREATE:
        acting().caller.must(importable.edit)
    form = form_of(upload.stream)
    words = said.get("values") or {}
    mapping = said.get("mapping")
    if mapping is None and (shut := closed_targets(importable, acting().caller)):
        there = {name: each for name, each in importable.targets.items() if name not in shut}
        mapping = guessed(form.header, there)
    plan = read_plan(importable, form.header, mapping, words, mode, said.get("match_on"))
    must_be_open(plan, acting().caller)
    record = Import(
        id=new_id(),
        resource=importable.resource,
        mode=mode.value,
        match_on=said.get("match_on"),
        dry_run=said["dry_run"],
        file_name=_name_of(upload),
        encoding=form.encoding,
        delimiter=form.delimiter,
        header=list(form.header),
        mapping=as_mapping(plan),
        values=words,
    )
    store_sealed(record.file, _chunks(upload))
    record.size = upload.stream.tell()
    try:
        return _accepted(record)
    except BaseException:
        files().delete(record.file)
        raise


def _accepted(record: Import) -> Import:
    save(record)
    record.job_id = run_import.later(record.id)
    facts = {"resource": record.resource, "mode": record.mode, "dry_run": record.dry_run}
    record_event(
        "imports.created", "imports", record.id, {name: [None, value] for name, value in facts.items()}
    )
    return record


def _chunks(upload: FileStorage) -> Iterator[bytes]:
    while chunk := upload.stream.read(CHUNK):
        yield chunk


def _name_of(upload: FileStorage) -> str:
    """The name without a folder, and nothing in it that isn't printable."""
    name = PurePath((upload.filename or "").replace("\\", "/")).name
    return "".join(letter for letter in name if letter.isprintable())[:LONGEST_NAME] or "file"
