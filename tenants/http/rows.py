"""Rows that PostgreSQL rendered, as the JSON of a page or of a single record."""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from tenants.foundation.encryption import Context
from tenants.foundation.errors import NotFound
from tenants.http.cursors import write_cursor
from tenants.http.selection import Asked
from tenants.isolation.sealing import opened_text


def page(
    asked: Asked, rows: Sequence[tuple[Any, ...]], tenant_id: UUID, *, more: bool | None = None
) -> bytes:
    """The JSON of a page, and the cursor to the next; `more` where it is known beforehand whether there is one."""
    more = bool(rows) and more if more is not None else len(rows) > asked.limit
    shown = rows[: asked.limit]
    if shown and shown[-1][0] is None:  # the page has its bytes
        shown, more = [row for row in shown if row[0] is not None], True
    cursor = f'"{_cursor_behind(asked, shown[-1])}"' if more else "null"
    records = ",".join(_records(asked, shown, tenant_id))
    return f'{{"data":[{records}],"next_cursor":{cursor}}}'.encode()


def one(asked: Asked, rows: Sequence[tuple[Any, ...]], tenant_id: UUID) -> bytes:
    """The JSON of a single record. Raises NotFound when there is none within reach."""
    if not rows:
        raise NotFound
    return _records(asked, rows[:1], tenant_id)[0].encode()


def _records(asked: Asked, rows: Sequence[tuple[Any, ...]], tenant_id: UUID) -> list[str]:
    """The JSON of each row. Most have no sealed value, and are not worth a call each."""
    sealed, first = asked.built.sealed, 1 + asked.built.keys
    if not sealed:
        return [row[0] for row in rows]
    nothing = _nothing_in(sealed)
    return [
        _opened(asked, row, tenant_id) if any(row[first:]) else row[0][:-1] + nothing for row in rows
    ]  # fmt: skip


def _opened(asked: Asked, row: tuple[Any, ...], tenant_id: UUID) -> str:
    """The row's JSON with its sealed fields, opened here, spliced in. The last key of every sort is the id."""
    built = asked.built
    sealed = zip(built.sealed, row[1 + built.keys :], strict=True)
    table, row_id = asked.resource.mapper.local_table.name, UUID(row[built.keys])
    opened = {name: opened_text(value, Context(tenant_id, table, name, row_id)) for name, value in sealed}
    text: str = row[0]
    return text[:-1] + "," + json.dumps(opened)[1:]


@lru_cache(1000)
def _nothing_in(sealed: tuple[str, ...]) -> str:
    """What is spliced into most rows: none of the sealed fields has a value."""
    return "," + json.dumps(dict.fromkeys(sealed))[1:]


def _cursor_behind(asked: Asked, row: tuple[Any, ...]) -> str:
    return write_cursor(asked.fingerprint, row[1 : 1 + asked.built.keys])
