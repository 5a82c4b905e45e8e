"""The rows that an import rejected, as a table for people: what they sent, and why it was not taken."""

import csv
import io
from collections.abc import Iterator
from typing import IO, Any

import orjson
from sqlalchemy import select

from crm.imports.closed import hidden_columns, told_apart
from crm.imports.models import Action, Import, ImportRow
from crm.imports.own_fields import importable_then
from crm.imports.plan import Plan
from crm.imports.staging import cell_place
from tenants.access.caller import acting
from tenants.foundation.sealed_spools import sealed_spool
from tenants.http.spreadsheets import harmless
from tenants.isolation.door import db, here
from tenants.isolation.sealing import opened_text

AT_ONCE = 1000
REASON = "reason"


def rejected_rows(record: Import) -> IO[bytes]:
    """A CSV of the rejected rows, with a last column that says why; in a sealed spool, however many there are."""
    file = sealed_spool()
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow([harmless(name) for name in (*record.header, REASON)])
    for cells, reasons in _rows(record):
        writer.writerow([*(harmless(cell) for cell in cells), harmless(" ".join(reasons))])
    text.detach()
    file.seek(0)
    return file


def _rows(record: Import) -> Iterator[tuple[list[str], list[str]]]:
    query = (
        select(ImportRow.number, ImportRow.cells, ImportRow.reasons)
        .where(ImportRow.import_id == record.id, ImportRow.action == Action.REJECT.value)
        .order_by(ImportRow.number)
    )
    plan = Plan.of(record, importable_then(record.resource, record.mapping))
    sealed = [plan.columns[place].index for place in plan.sealed]
    hidden = dict(hidden_columns(plan, acting().caller))
    for row in db().execute(query, execution_options={"yield_per": AT_ONCE}):
        cells: list[Any] = orjson.loads(row.cells)
        for place in sealed:
            if place < len(cells):
                where = cell_place(here().home.id, str(record.id), row.number)
                cells[place] = opened_text(bytes.fromhex(cells[place]), where)
        shown = ["" if place in hidden else cell for place, cell in enumerate(cells)]
        yield _padded(shown, len(record.header)), list(told_apart(row.reasons or [], hidden.values()))


def _padded(cells: list[str], width: int) -> list[str]:
    """The reason stands in its own column, whatever the row was like; what is too much joins the last cell."""
    kept = [*cells, *[""] * (width - len(cells))]
    return [*kept[: width - 1], ",".join(kept[width - 1 :])]
