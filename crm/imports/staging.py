"""Reads a file into the tenant's `import_rows`, each cell by the rules of its field, as fast as COPY takes it."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from uuid import UUID

import orjson

from crm.imports.conversion import PlainText, Unfit
from crm.imports.models import Action, ImportRow
from crm.imports.plan import Plan, Planned
from tenants.foundation.encryption import Context
from tenants.foundation.identifiers import new_id_text
from tenants.http.spreadsheets import FORMULA
from tenants.isolation.copying import copying_into
from tenants.isolation.door import here
from tenants.isolation.sealing import sealed_text

COLUMNS = ("import_id", "number", "step", "action", "record_id", "cells", "fields", "reasons")
BLOCK = 200
CREATE, REJECT = Action.CREATE.value.encode(), Action.REJECT.value.encode()
Reasons = dict[int, list[str]]


def stage(plan: Plan, import_id: UUID, rows: Iterator[list[str]], after: int, most: int) -> int:
    """Put up to `most` rows into the table, numbered from `after` on; how many that were."""
    read = BlockReader(plan, import_id)
    number = after
    with copying_into(ImportRow, COLUMNS) as write:
        while block := list(islice(rows, min(BLOCK, after + most - number))):
            write(b"".join(read(number + 1, block)))
            number += len(block)
    return number - after


class BlockReader:
    """Reads rows of one plan, a column of the block at a time; each row becomes a line in COPY's text format."""

    def __init__(self, plan: Plan, import_id: UUID) -> None:
        self._plan = plan
        self._import = str(import_id).encode()
        self._width = len(plan.header)
        self._required = self._required_places()
        self._sealed = {n: plan.columns[n] for n in plan.sealed}

    def __call__(self, first: int, block: list[list[str]]) -> Iterator[bytes]:
        """The lines of these rows; the first of them has this number."""
        fitting = [cells for cells in block if len(cells) == self._width]
        reasons: Reasons = {}
        read = self._values(fitting, reasons)
        place = -1
        for number, cells in enumerate(block, first):
            if len(cells) != self._width:
                wrong = f"The row has {len(cells)} cells, the header {self._width}."
                yield self._line(number, cells, [], [wrong])
                continue
            place += 1
            yield self._line(number, cells, next(read), reasons.get(place))

    def _line(
        self, number: int, cells: list[str], values: Sequence[str | None], reasons: list[str] | None
    ) -> bytes:
        record_id = new_id_text()
        if self._sealed:
            values = list(values)
            self._seal(cells, values, number, UUID(record_id))
        parts = (
            *(self._import, b"%d" % number, b"0", REJECT if reasons else CREATE, record_id.encode()),
            *(_escaped(orjson.dumps(cells)), _escaped(orjson.dumps(values))),
            _escaped(_array(reasons)) if reasons else b"\\N",
        )
        return b"\t".join(parts) + b"\n"

    def _values(self, rows: list[list[str]], reasons: Reasons) -> Iterator[tuple[str | None, ...]]:
        """The values of each row in the order of the plan; `reasons` gets what is wrong, by the place of the row."""
        cells = list(zip(*rows, strict=True))
        columns = [self._column(each, cells[each.index], reasons) for each in self._plan.columns if rows]
        wrong_before = set(reasons)
        for place, name in self._required if rows else ():
            for at in _places_of(None, columns[place]):
                if at not in wrong_before:
                    reasons.setdefault(at, []).append(f"{name}: This can't be empty.")
        return zip(*columns, strict=True)

    def _column(self, planned: Planned, cells: Sequence[str], reasons: Reasons) -> list[str | None]:
        texts = [text.strip() for text in cells]
        if planned.words:
            texts = [planned.words.get(text, text) for text in texts]
        if "'" in "".join(texts):
            texts = [text[1:] if text[:1] == "'" and text[1:2] in FORMULA else text for text in texts]
        convert = planned.target.convert
        if isinstance(convert, PlainText) and len(max(texts, key=len)) <= convert.longest:
            return [text or None for text in texts]
        try:
            return [convert(text) if text else None for text in texts]
        except Unfit:
            return [self._value(planned, text, at, reasons) for at, text in enumerate(texts)]

    def _value(self, planned: Planned, text: str, at: int, reasons: Reasons) -> str | None:
        try:
            return planned.target.convert(text) if text else None
        except Unfit as reason:
            reasons.setdefault(at, []).append(f"{self._plan.header[planned.index]}: {reason}")
            return None

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


def _places_of(value: object, among: Iterable[object]) -> list[int]:
    return [place for place, each in enumerate(among) if each is value]


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
