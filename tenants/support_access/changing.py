"""A visit that changes a record: what it is about to change is committed to the log, then it is changed and audited."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from tenants.access.caller import act_as
from tenants.access.policy import change, find
from tenants.foundation.errors import Invalid, NotAllowed, NotFound
from tenants.http.rows import one
from tenants.http.selection import Selection
from tenants.isolation.door import db, here
from tenants.support_access.entries import Entry, log_entry
from tenants.support_access.models import Access
from tenants.support_access.standing import HELD, Circumstances, Standing, at_work, in_scope, visitor
from tenants.support_access.visitable import Visitable


def changed(at: Circumstances, name: str, record_id: UUID, said: Mapping[str, Any]) -> bytes:
    """Change fields of a record within the visit's scope; the JSON of it, masked as ever.

    Raises NotAllowed for a visit that only reads, Invalid for fields it doesn't see, NotFound beyond its scope.
    """
    with at_work(at, HELD, visit="write") as (_, standing):
        found = in_scope(standing, name)
        _must_write(standing, found, said)
        known = _exists(found, standing, record_id)
        ids = [record_id] if known else []
        log_entry(at, standing, Entry("change", found.resource, {"id": str(record_id)}, ids, sorted(said)))
    if not known:
        raise NotFound
    with at_work(at, HELD, visit="write") as (tenancy, standing):
        seer = visitor(at, standing, found.resource)
        act_as(seer, request_id=at.request_id, address=at.address)
        change(find(found.resource.model, record_id), said)
        chosen = Selection(found.resource, {"id": record_id}, single=True, only=[record_id])
        asked = chosen.ask(seer, MultiDict())
        return one(asked, tenancy.ask(asked.question.sql, asked.question.values), here().home.id)


def _must_write(standing: Standing, found: Visitable, said: Mapping[str, Any]) -> None:
    if standing.access != Access.WRITE:
        raise NotAllowed("This visit is for reading.", code="read_only")
    if found.body is None:
        raise NotAllowed(f"'{found.resource.name}' can't be changed by a visit.", code="read_only")
    scope = standing.scope
    closed = scope.closed(found.resource) | scope.covered(found.resource)
    if unseen := sorted(set(said) & closed):
        raise Invalid(errors={each: ["This visit doesn't see this field."] for each in unseen})


def _exists(found: Visitable, standing: Standing, record_id: UUID) -> bool:
    if standing.record_ids is not None and record_id not in standing.record_ids:
        return False
    model = found.resource.model
    return db().scalar(select(model.id).where(model.id == record_id)) is not None
