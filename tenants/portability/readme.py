"""README.md of a bundle: what somebody who opens the zip without us has to know."""

import json
from collections.abc import Sequence

from tenants.portability.descriptor import (
    PARTIAL,
    SEALED_IN_WHOLE,
    About,
    TableFile,
    left_behind,
    moment,
)
from tenants.portability.formats import Format

CSV_RULES = r"""Each file under `data/` is a table in CSV: RFC 4180, UTF-8, lines end with CR LF, and the first line
names the fields.

- `\N` without quotes is a missing value. Nothing between two commas is an empty text. A text that really is `\N`
  stands in quotes.
- Values are intact: a text that begins with `=`, `+`, `-` or `@` is here as it was entered. **Don't open these files in a
  spreadsheet by a double click; import them as text.**"""
JSONL_RULES = """Each file under `data/` is a table in JSON Lines: UTF-8, one JSON object in a line, one line for a row.

- `null` is a missing value.
- Decimal numbers are texts (`"12.50"`), so that no reader rounds them."""
PARQUET_RULES = """Each file under `data/` is a table in Parquet, compressed with zstd.

- Numbers, days, times and lists have types of their own. Ids and documents are text."""
SQLITE_RULES = """`data.sqlite` is a database for SQLite 3 with a table for each of ours, its keys, relations and indexes.

- Decimal numbers, days and times are text, because SQLite has no types for them. Lists and documents are JSON."""
RULES = {
    Format.CSV: CSV_RULES,
    Format.JSONL: JSONL_RULES,
    Format.PARQUET: PARQUET_RULES,
    Format.SQLITE: SQLITE_RULES,
}
BACK = " `freehold tenant import FILE --slug NAME` brings it\nback."
PLAIN_TEXT = (
    "Fields that are sealed where they are kept are **plain text here**. Keep this file as safe as they were."
)
COMMON_RULES = """- Times are RFC 3339 in UTC, dates `YYYY-MM-DD`, ids UUIDs.
- Lists and documents are JSON. Bytes are hexadecimal.
- Files that are attached to records are under `files/`, each in a folder named by the `id` that `attachments` has."""


def readme(about: About, format_: Format, files: Sequence[TableFile]) -> str:
    """The page, in Markdown."""
    rules = RULES[format_] + (f"\n{COMMON_RULES}" if format_.restorable else "")
    tables = "\n".join(_row(each, format_) for each in files)
    sealed = SEALED_IN_WHOLE if about.whole else PLAIN_TEXT
    stays = "\n".join(
        f"- `{each.table}`{f' ({_listed(each.columns)})' if each.columns else ''}: {each.reason}"
        for each in left_behind(about, files)
    )  # fmt: skip
    whole = "Everything that Freehold kept" if not about.chosen else "Chosen records of what Freehold kept"
    back = BACK if format_.restorable and not about.chosen else ""
    return f"""# {_plain(about.name)}

{whole} for `{about.slug}` on {moment(about.snapshot_at)}, as it was at that one moment.{_chosen(about)}

`datapackage.json` describes it for programs: fields, types, keys, relations, the number of rows, and the size and
SHA-256 of each file. It follows the Data Package specification (https://specs.frictionlessdata.io).

## How to read it

{rules}

`freehold bundle verify FILE` checks all of this without a server.{back}

## What is in it

{sealed}

| file | rows | sealed fields |
|---|---|---|
{tables}

## What is not in it

{stays}
"""


def _row(written: TableFile, format_: Format) -> str:
    """A file, or a table in the database."""
    place = f"`{written.file.path}`" + (f": `{written.table.name}`" if format_ is Format.SQLITE else "")
    return f"| {place} | {written.rows} | {_listed([each.name for each in written.table.sealed])} |"


def _chosen(about: About) -> str:
    if not about.chosen:
        return ""
    said = "\n".join(f"    {json.dumps(each, ensure_ascii=False)}" for each in about.chosen)
    return f"\n\n**This is not everything.** {PARTIAL} These were asked for:\n\n{said}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _plain(name: str) -> str:
    """A name can't become markup or a second line."""
    return " ".join("".join(each if each.isprintable() else " " for each in name).split()).replace("<", "\\<")
