"""The course of a visit's request: what it is about to see is committed to the tenant's log, then exactly that is read.

Both halves go in by the staff's login and ask the tenant's own rows whether the visit is still open. The second half
is read only by PostgreSQL's word. If the log can't be written, nothing is read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from werkzeug.datastructures import MultiDict

from tenants.access.caller import Caller
from tenants.foundation.errors import Invalid, NotFound
from tenants.http.representation import Resource
from tenants.http.rows import one, page
from tenants.http.selection import Asked, Selection
from tenants.isolation.dialect import compiled
from tenants.support_access.entries import Entry, log_entry
from tenants.support_access.standing import (
    HELD,
    ONE_VIEW,
    STANDING,
    Circumstances,
    at_work,
    in_scope,
    visitor,
)
from tenants.support_access.visitable import sealed_fields, shown_fields


def page_of(at: Circumstances, name: str, arguments: MultiDict[str, str]) -> bytes:
    """The JSON of a list within the visit's scope."""
    seen = _logged(at, name, arguments)
    asked, rows = _read(at, seen, Selection(seen.resource, only=seen.ids), arguments)
    return page(asked, rows, at.home.id, more=seen.more)


def one_of(at: Circumstances, name: str, record_id: UUID) -> bytes:
    """The JSON of one record within the visit's scope. Raises NotFound; that somebody tried is in the log."""
    seen = _logged(at, name, MultiDict(), record_id)
    if not seen.ids:
        raise NotFound
    chosen = Selection(seen.resource, {"id": record_id}, single=True, only=seen.ids)
    asked, rows = _read(at, seen, chosen, MultiDict())
    return one(asked, rows, at.home.id)


def count_of(at: Circumstances, name: str, arguments: MultiDict[str, str]) -> int:
    """How many records within the visit's scope the filters choose; the log has the question, as no row is seen."""
    with at_work(at, HELD) as (_, standing):
        found = in_scope(standing, name)
        seer = visitor(at, standing, found.resource)
        _refuse_words(seer, found.resource, arguments)
        narrowing = Selection(found.resource, only=standing.record_ids).narrowing(seer, arguments)
        log_entry(at, standing, Entry("aggregate", found.resource, dict(arguments), fields=[]))
    table = found.resource.mapper.local_table
    made = compiled(sa.select(sa.func.count()).select_from(table).where(*narrowing.conditions))
    constants = {key: value for key, value in made.params.items() if value is not None}
    with at_work(at, STANDING, isolation=ONE_VIEW) as (tenancy, _):
        return int(tenancy.ask(made.string, {**constants, **narrowing.values})[0][0])


@dataclass(frozen=True)
class _Seen:
    """What was committed to the log."""

    resource: Resource
    ids: list[UUID]
    more: bool


def _logged(
    at: Circumstances, name: str, arguments: MultiDict[str, str], record_id: UUID | None = None
) -> _Seen:
    """Work out which records a question is about, without a look into them, and commit that to the log."""
    with at_work(at, HELD) as (tenancy, standing):
        resource = in_scope(standing, name).resource
        seer = visitor(at, standing, resource)
        _refuse_words(seer, resource, arguments)
        fixed = {} if record_id is None else {"id": record_id}
        chosen = Selection(resource, fixed, single=record_id is not None, only=standing.record_ids, bare=True)
        asked = chosen.ask(seer, arguments)
        ids = [
            UUID(orjson.loads(row[0])["id"]) for row in tenancy.ask(asked.question.sql, asked.question.values)
        ]
        more = bool(asked.limit) and len(ids) > asked.limit
        shown = ids[: asked.limit] if asked.limit else ids
        said = {**arguments, **({"id": str(record_id)} if record_id else {})}
        log_entry(at, standing, Entry("read", resource, said, shown))
    return _Seen(resource, shown, more)


def _read(
    at: Circumstances, seen: _Seen, chosen: Selection, arguments: MultiDict[str, str]
) -> tuple[Asked, list[tuple[Any, ...]]]:
    with at_work(at, STANDING, isolation=ONE_VIEW) as (tenancy, standing):
        asked = chosen.ask(visitor(at, standing, seen.resource), arguments)
        return asked, tenancy.ask(asked.question.sql, asked.question.values)


def _refuse_words(seer: Caller, resource: Resource, arguments: Mapping[str, str]) -> None:
    """Words are looked for in masked and hidden fields too: an answer would tell what is in them."""
    closed = seer.hidden[resource.name] | seer.masked[resource.name]
    if "q" in arguments and closed & shown_fields(resource) - sealed_fields(resource):
        raise Invalid(errors={"q": ["Words can't be searched where fields are masked or left out."]})
