"""Reads a file into the tenant's `import_rows`, each cell by the rules of its field, as fast as COPY takes it."""

from collections.abc import Iterator
from itertools import islice
from uuid import UUID

import orjson

from crm.imports.conversion import Unfit
from crm.imports.models import Action, ImportRow
from crm.imports.plan import Plan
from tenants.foundation.encryption import Context
from tenants.foundation.identifiers import new_id
from tenants.isolation.copying import copying_into
from tenants.isolation.door import here
from tenants.isolation.sealing import sealed_text

COLUMNS = ("import_id", "number", "step", "action", "record_id", "cells", "fields", "reasons")
BLOCK = 200
FORMULA = "=+-@\t\r\n＝＋－＠"  # noqa: RUF001 - some spreadsheets take the wide ones for formulas, too


def stage(plan: Plan, import_id: UUID, rows: Iterator[list[str]], after: int, most: int) -> int:
    """Put up to `most` rows into the table, numbered from `after` on; how many that were."""
    read = RowReader(plan, import_id)
    number = after
    with copying_into(ImportRow, COLUMNS) as write:
        while block := list(islice(rows, min(BLOCK, after + most - number))):
            lines = [read(number + offset, cells) for offset, cells in enumerate(block, 1)]
            write(b"".join(lines))
            number += len(block)
    return number - after


class RowReader:
    """Reads rows of one plan: a row's cells become a line in COPY's text format."""

    def __init__(self, plan: Plan, import_id: UUID) -> None:
        self._plan = plan
        self._import = str(import_id).encode()
        self._width = len(plan.header)
        self._required = self._required_places()
        self._sealed = {n: plan.columns[n] for n in plan.sealed}
        self._columns = [(each.index, each.words, each.target.convert) for each in plan.columns]
        self._action = Action.CREATE.value.encode()

    def __call__(self, number: int, cells: list[str]) -> bytes:
        record_id = new_id()
        values, reasons = self._values(cells)
        if self._sealed:
            self._seal(cells, values, number, record_id)
        action = Action.REJECT.value.encode() if reasons else self._action
        parts = (
            *(self._import, b"%d" % number, b"0", action, str(record_id).encode()),
            *(_escaped(orjson.dumps(cells)), _escaped(orjson.dumps(values))),
            _escaped(_array(reasons)) if reasons else b"\\N",
        )
        return b"\t".join(parts) + b"\n"

    def _values(self, cells: list[str]) -> tuple[list[str | None], list[str]]:
        if len(cells) != self._width:
            return [], [f"The row has {len(cells)} cells, the header {self._width}."]
        values: list[str | None] = []
        reasons: list[str] = []
        for index, words, convert in self._columns:
            text = cells[index].strip()
            if words:
                text = words.get(text, text)
            if not text:
                values.append(None)
                continue
            if text[0] == "'" and text[1:2] in FORMULA:
                text = text[1:]
            try:
                values.append(convert(text))
            except Unfit as reason:
                values.append(None)
                reasons.append(f"{self._plan.header[index]}: {reason}")
        reasons += [
            f"{name}: This can't be empty."
            for place, name in self._required
            if values[place] is None and not reasons
        ]
        return values, reasons

    def _required_places(self) -> list[tuple[int, str]]:
        """Fields that a new record needs. A row that changes one may leave them empty, so `checking` asks again."""
        if self._plan.match is not None:
            return []
        needed = self._plan.importable.required
        return [(n, each.column) for n, each in enumerate(self._plan.columns) if each.target.column in needed]

    def _seal(self, cells: list[str], values: list[str | None], number: int, record_id: UUID) -> None:
        """What is stored sealed is sealed here already, as it came and as it was read."""
        tenant, table = here().home.id, self._plan.importable.model.__tablename__
        for place, each in self._sealed.items():
            if each.index < len(cells):
                cells[each.index] = sealed_text(
                    cells[each.index], cell_place(tenant, self._import.decode(), number)
                ).hex()
            if place < len(values) and (value := values[place]) is not None:
                values[place] = sealed_text(
                    value, Context(tenant, table, each.target.column, record_id)
                ).hex()


def cell_place(tenant_id: UUID, import_id: str, number: int) -> Context:
    """Where a sealed cell of a staged row lives."""
    return Context(tenant_id, ImportRow.__tablename__, "cells", f"{import_id}:{number}")


def _escaped(text: bytes) -> bytes:
    """JSON and array literals hold no raw tab or line end, so the backslash alone has to be doubled for COPY."""
    return text.replace(b"\\", b"\\\\")


def _array(texts: list[str]) -> bytes:
    """An array literal; line ends and tabs of a cell that a reason quotes become spaces."""
    quoted = (" ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return ("{" + ",".join(f'"{text}"' for text in quoted) + "}").encode()
