"""datapackage.json: what is in a bundle, in the words of the Frictionless Data Package specification (version 1)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tenants.portability.columns import TEXT, Field
from tenants.portability.contents import BundleTable, LeftOut, left_out
from tenants.portability.formats import Format
from tenants.portability.zipping import Written

DESCRIPTOR = "datapackage.json"
README = "README.md"
DATABASE = "data.sqlite"
MEDIA_TYPES = {
    Format.CSV: "text/csv",
    Format.JSONL: "application/jsonl",
    Format.PARQUET: "application/vnd.apache.parquet",
    Format.SQLITE: "application/vnd.sqlite3",
}
#: Of the bundle's layout. Another number is another layout, and a reader says so instead of guessing.
VERSION = 1
OURS = "freehold"
MISSING = "\\N"
PARTIAL = "It holds chosen records without all that they refer to, so no tenant can be made of it again."
SEALED = "Fields marked as sealed are encrypted where they are kept. Here they are plain text."
SEALED_IN_WHOLE = "Sealed fields are here as they are sealed, as bytes: the tenant's keys alone open them."
DIALECT = {
    "delimiter": ",",
    "lineTerminator": "\r\n",
    "quoteChar": '"',
    "doubleQuote": True,
    "skipInitialSpace": False,
    "header": True,
}


@dataclass(frozen=True)
class About:
    """Whose bundle it is, and of which moment."""

    tenant_id: str
    slug: str
    name: str
    schema_revision: str
    snapshot_at: datetime
    chosen: tuple[Mapping[str, Any], ...] = ()
    """Which resources were asked for, with their filters, when it is not all of them."""
    whole: bool = False
    """Whether it is the tenant itself, credentials and all, for its own keys alone."""


@dataclass(frozen=True)
class TableFile:
    """A table that was written: its file, and how many rows it has."""

    table: BundleTable
    file: Written
    rows: int


def descriptor(about: About, format_: Format, files: Sequence[TableFile], readme: Written) -> bytes:
    """The whole of datapackage.json."""
    package = {
        "profile": "data-package",
        "name": about.slug,
        "id": about.tenant_id,
        "title": f"{about.name}: {'chosen records' if about.chosen else 'everything'}",
        "created": moment(about.snapshot_at),
        OURS: _ours(about, format_, files),
        "resources": [
            *_data_resources(about, format_, files),
            {"name": "readme", **_file(readme, "md", "text/markdown")},
        ],
    }
    return json.dumps(package, ensure_ascii=False, indent=2).encode() + b"\n"


def moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _ours(about: About, format_: Format, files: Sequence[TableFile]) -> dict[str, Any]:
    return {
        "version": VERSION,
        "format": format_.value,
        "tenant": {"id": about.tenant_id, "slug": about.slug, "name": about.name},
        "schemaRevision": about.schema_revision,
        "snapshotAt": moment(about.snapshot_at),
        "rows": sum(each.rows for each in files),
        "restorable": format_.restorable and not about.chosen,
        **({"partial": {"chosen": list(about.chosen), "reason": PARTIAL}} if about.chosen else {}),
        "whole": about.whole,
        "sealed": SEALED_IN_WHOLE if about.whole else SEALED,
        "excluded": [
            {"table": each.table, **({"columns": list(each.columns)} if each.columns else {}), "reason": each.reason}
            for each in left_behind(about, files)
        ],
    }  # fmt: skip


def left_behind(about: About, files: Sequence[TableFile]) -> list[LeftOut]:
    """What stays of the tables that were asked for, and why."""
    there = {each.table.name for each in files}
    return [each for each in left_out(whole=about.whole) if not about.chosen or each.table in there]


def _data_resources(about: About, format_: Format, files: Sequence[TableFile]) -> list[dict[str, Any]]:
    """A resource for each table; for a database one, with its tables."""
    described = [{"name": each.table.name, **_table(each, partial=bool(about.chosen))} for each in files]
    media = MEDIA_TYPES[format_]
    if format_ is Format.SQLITE:
        return [{"name": "data", **_file(files[0].file, "sqlite", media), "tables": described}]
    dialect = {"profile": "tabular-data-resource", "dialect": DIALECT} if format_ is Format.CSV else {}
    return [
        {**_file(each.file, format_.value, media), **dialect, **said}
        for each, said in zip(files, described, strict=True)
    ]


def _table(written: TableFile, *, partial: bool) -> dict[str, Any]:
    return {
        "purpose": written.table.purpose.value,
        "rows": written.rows,
        "schema": table_schema(written.table, partial=partial),
    }


def _file(file: Written, format_: str, media: str) -> dict[str, Any]:
    text = media not in (MEDIA_TYPES[Format.PARQUET], MEDIA_TYPES[Format.SQLITE])
    return {
        "path": file.path,
        "profile": "data-resource",
        "format": format_,
        "mediatype": media,
        **({"encoding": "utf-8"} if text else {}),
        "bytes": file.size,
        "hash": f"sha256:{file.sha256}",
    }


def table_schema(table: BundleTable, *, partial: bool = False) -> dict[str, Any]:
    """The table schema (Frictionless Table Schema, version 1); what it has no word for is ours and named so.

    `partial` leaves out the foreign keys: what they point at is in no partial bundle for sure.
    """
    alone = {names[0] for names in table.unique if len(names) == 1}
    schema: dict[str, Any] = {
        "fields": [_field(table, each, unique=each.name in alone) for each in table.columns],
        "missingValues": [MISSING],
        "primaryKey": list(table.key),
    }
    if keys := [] if partial else list(_foreign_keys(table)):
        schema["foreignKeys"] = keys
    if table.names_tenant:
        schema["namesTenant"] = list(table.names_tenant)
    return schema


def _field(table: BundleTable, column: Field, *, unique: bool) -> dict[str, Any]:
    said: dict[str, Any] = {"name": column.name, **column.kind.field}
    constraints: dict[str, Any] = dict(said.pop("constraints", {}))
    if column.required:
        constraints["required"] = True
        if column.kind is TEXT:
            # Nothing is missing here: a reader that doesn't see quotes is not to take a text `\N` for it.
            said["missingValues"] = []
    if unique:
        constraints["unique"] = True
    if column.words is not None:
        constraints["enum"] = sorted(column.words)
    if constraints:
        said["constraints"] = constraints
    said["dataClass"] = table.table.c[column.name].info["data"].value
    if column.sealed:
        said["sealed"] = True
    return said


def _foreign_keys(table: BundleTable) -> Iterable[Mapping[str, Any]]:
    """In this specification, a table that refers to itself calls itself by an empty name."""
    for each in sorted(table.references, key=lambda reference: reference.column):
        resource = "" if each.table == table.name else each.table
        yield {"fields": [each.column], "reference": {"resource": resource, "fields": [each.target]}}
