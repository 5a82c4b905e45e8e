"""A record as its rows have it, with the rows that go with it by a foreign key; written down, and put back.

PostgreSQL writes each row as JSON and reads it again, so that every value comes back as it was. Sealed values are
opened here and sealed anew, for the snapshot itself is sealed as a whole.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Table, func, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from tenants.foundation.errors import Conflict, Gone
from tenants.foundation.tables import Base
from tenants.isolation.door import db
from tenants.isolation.sealing import opened_text, place_in, sealed_text

Row = tuple[str, str, dict[str, str]]


def snapshot(table: Table, record_id: UUID) -> str:
    """A record with what goes with it, as a text."""
    return json.dumps(list(_rows(table, table.c.id == record_id)))


def must_be_of(table: Table, record_id: UUID, text: str) -> None:
    """A bin that was brought in a bundle may hold rows of any table: credentials, rights, lines of another's invoice.

    Raises Conflict unless a snapshot is of this record and of what goes with it, Gone as `put_back` does.
    """
    there: dict[str, set[Any]] = {}
    try:
        for name, row, _ in json.loads(text):
            values = json.loads(row)
            itself = not there and name == table.name and values["id"] == str(record_id)
            if not itself and not any(values[key] in there.get(other, ()) for key, other in _goes_with(name)):
                raise ValueError(name)  # noqa: TRY301 -- one refusal for all that it can't be
            there.setdefault(name, set()).add(values.get("id"))
        if not there:
            raise ValueError("It is empty.")  # noqa: TRY301
    except (ValueError, KeyError, TypeError, AttributeError):
        message = "What the bin holds of this is no such record, and is not put back."
        raise Conflict(message, code="altered") from None


def _goes_with(name: str) -> Iterator[tuple[str, str]]:
    """The columns by which rows of a table go with those of others, and which these are."""
    for key in _table(name).foreign_key_constraints:
        if (key.ondelete or "").upper() == "CASCADE":
            yield from ((each.parent.name, str(key.referred_table.name)) for each in key.elements)


def put_back(text: str, record_id: UUID, changes: Mapping[str, Any]) -> None:
    """Insert what `snapshot` wrote down; `changes` are columns of the record itself that are to be otherwise.

    Raises what the database raises when another record has its place, or what it refers to is gone; Gone when there
    is no such table any more.
    """
    for name, row, sealed in json.loads(text):
        table = _table(name)
        itself = json.loads(row).get("id") == str(record_id)
        db().execute(_insert(table, row, sealed, changes if itself else {}))


def _table(name: str) -> Table:
    if (table := Base.metadata.tables.get(name)) is None:
        raise Gone("What this was kept in is no longer part of the program.")
    return table


def fields_in(text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The name of the table and the plain values of each row of a snapshot."""
    for name, row, _ in json.loads(text):
        yield name, json.loads(row)


def _rows(table: Table, chosen: ColumnElement[bool]) -> Iterator[Row]:
    sealed = [each for each in table.columns if each.info.get("sealed")]
    left = [each.name for each in table.columns if each in sealed or each.computed is not None]
    whole = func.to_jsonb(table.table_valued())
    shown = sa.cast(whole.op("-")(sa.cast(sa.literal(left, ARRAY(sa.Text)), ARRAY(sa.Text))), sa.Text)
    key = [table.c.id] if "id" in table.c else []
    for row in db().execute(select(shown, *key, *sealed).where(chosen)).all():
        yield table.name, row[0], _opened(table, row[1], sealed, row[2:]) if sealed else {}
        if key:
            yield from _rows_with(table, row[1])


def _rows_with(table: Table, record_id: UUID) -> Iterator[Row]:
    """The rows that the database deletes with a row of this table."""
    for other in Base.metadata.sorted_tables:
        for key in other.foreign_key_constraints:
            if key.referred_table is table and (key.ondelete or "").upper() == "CASCADE":
                (mine,) = (each.parent for each in key.elements if each.column.name == "id")
                yield from _rows(other, mine == record_id)


def _opened(table: Table, row_id: UUID, columns: list[Any], values: Any) -> dict[str, str]:
    found = zip(columns, values, strict=True)
    texts = {each.name: opened_text(value, place_in(table.name, each.name, row_id)) for each, value in found}
    return {name: text for name, text in texts.items() if text is not None}


def _insert(table: Table, row: str, sealed: Mapping[str, str], changes: Mapping[str, Any]) -> Any:
    values = json.loads(row)
    # A row may be older than its table: columns that came since have their defaults, those that went are left out.
    kept = [each for each in table.columns if each.name in values and each.computed is None]
    source: Any = func.jsonb_to_record(sa.cast(sa.literal(row, sa.Text), JSONB)).table_valued(
        *(sa.column(each.name, each.type) for each in kept)
    )
    source = source.render_derived(name="kept", with_types=True)
    columns = {each.name: source.c[each.name] for each in kept}
    for name, text in sealed.items():
        if name in table.c:
            place = place_in(table.name, name, UUID(values["id"]))
            columns[name] = sa.literal(sealed_text(text, place), sa.LargeBinary)
    columns |= {name: sa.literal(value, table.c[name].type) for name, value in changes.items()}
    return sa.insert(table).from_select(list(columns), select(*columns.values()), include_defaults=False)
