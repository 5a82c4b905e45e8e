"""Fills the tables of a fresh tenant from a bundle: ids and times kept, sealed fields sealed anew for this tenant."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import sqlalchemy as sa

from tenants.foundation.encryption import Context
from tenants.isolation.door import db
from tenants.isolation.sealing import sealed_text
from tenants.isolation.whole_tables import rows_into
from tenants.portability.columns import Field
from tenants.portability.contents import BundleTable, tables
from tenants.portability.described import DescribedTable
from tenants.portability.opening import OpenBundle
from tenants.portability.rows import Measured, Values, rows_of
from tenants.portability.telling import Told

BATCH_BYTES = 256 * 1024
ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})
NULL = "\\N"


class Filling:
    """One bundle going into the tenant at hand. `own` are the values by which this tenant names itself.

    `these` are the tables to fill, when they are not those of an export of this version.
    """

    def __init__(
        self,
        bundle: OpenBundle,
        tenant_id: UUID,
        own: Mapping[str, str],
        tell: Told,
        these: Sequence[BundleTable] | None = None,
    ) -> None:
        self._bundle, self._tenant_id, self._own, self._tell = bundle, tenant_id, own, tell
        self._tables = tables() if these is None else these
        self._rows = 0

    def fill(self) -> None:
        """Tables that are referred to come first; references that close a circle come when both ends are there."""
        described = {each.name: each for each in self._bundle.described.tables}
        closing = [self._table(table, described[table.name]) for table in self._tables]
        for table, updates in zip(self._tables, closing, strict=True):
            self._close_circles(table, updates)

    def _table(self, table: BundleTable, described: DescribedTable) -> dict[str, list[dict[str, str]]]:
        circles = {each.column for each in table.references if each.closes_circle}
        updates: dict[str, list[dict[str, str]]] = {name: [] for name in circles}
        row = _Row(table, described.fields, self._tenant_id, self._own, circles)
        with self._bundle.open(described.file.path) as stream, rows_into(table.table, row.columns) as write:
            batch: list[str] = []
            size = 0
            for _, values in rows_of(
                described.fields, self._bundle.described.format, Measured(stream).lines()
            ):
                line = row.line(values, updates)
                batch.append(line)
                size += len(line)
                if size >= BATCH_BYTES:
                    write("".join(batch).encode())
                    self._tell(table.name, self._rows + len(batch))
                    self._rows += len(batch)
                    batch, size = [], 0
            write("".join(batch).encode())
            self._rows += len(batch)
        self._tell(table.name, self._rows)
        return updates

    def _close_circles(self, table: BundleTable, updates: dict[str, list[dict[str, str]]]) -> None:
        columns = table.table.c
        for name, rows in updates.items():
            if not rows:
                continue
            mine = (columns[key] == sa.bindparam(f"key_{key}", type_=columns[key].type) for key in table.key)
            closed = {**as_they_are(table), name: sa.bindparam("target", type_=columns[name].type)}
            converted = [{each: UUID(value) for each, value in row.items()} for row in rows]
            db().connection().execute(sa.update(table.table).where(*mine).values(closed), converted)


def as_they_are(table: BundleTable) -> dict[str, sa.Column[object]]:
    """For an update: columns that change by themselves on one keep what the bundle said."""
    return {each.name: each for each in table.table.columns if each.onupdate is not None}


class _Row:
    """Writes the rows of one table as COPY reads them."""

    def __init__(
        self,
        table: BundleTable,
        fields: tuple[Field, ...],
        tenant_id: UUID,
        own: Mapping[str, str],
        circles: set[str],
    ) -> None:
        ours = {each.name: each for each in table.columns}
        self._table, self._tenant_id, self._circles = table, tenant_id, circles
        self._fields = [ours[each.name] for each in fields]
        self._own = {name: own[name] for name in table.names_tenant}
        self._key = [(name, [each.name for each in fields].index(name)) for name in table.key]
        self._resting = [(place, each.at_rest) for place, each in enumerate(self._fields) if each.at_rest]
        self.columns = [each.name for each in self._fields] + [each.beside for _, each in self._resting]

    def line(self, values: Values, updates: dict[str, list[dict[str, str]]]) -> str:
        written = [
            self._written(each, value, values) for each, value in zip(self._fields, values, strict=True)
        ]
        for place, each in enumerate(self._fields):
            if each.name in self._circles and (target := values[place]) is not None:
                key = {f"key_{name}": str(values[at]) for name, at in self._key}
                updates[each.name].append({**key, "target": target})
                written[place] = NULL
        for place, rest in self._resting:
            state = values[place]
            written.append(str(state) if state in rest.states else NULL)
            written[place] = rest.word if state in rest.states else written[place]
        return "\t".join(written) + "\n"

    def _written(self, field: Field, value: str | None, values: Values) -> str:
        if field.name in self._own:
            return self._own[field.name].translate(ESCAPES)
        if value is None:
            return NULL
        if field.sealed:
            row_id = UUID(str(values[self._key[0][1]]))
            sealed = sealed_text(value, Context(self._tenant_id, self._table.name, field.name, row_id))
            return f"\\\\x{sealed.hex()}"
        return field.kind.for_copy(value).translate(ESCAPES)
