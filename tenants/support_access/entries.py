"""Entries of a tenant's access log: written and committed before anything is read or changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.exc import SQLAlchemyError

from tenants.foundation import clock
from tenants.foundation.errors import Unavailable
from tenants.foundation.identifiers import new_id
from tenants.http.representation import Resource
from tenants.isolation.door import db
from tenants.support_access.models import AccessEntry
from tenants.support_access.standing import Circumstances, Standing
from tenants.support_access.visitable import shown_fields


@dataclass(frozen=True)
class Entry:
    """What one request is about to see or change: of which records, chosen how; `fields` where not all are shown."""

    kind: str
    resource: Resource
    query: Mapping[str, Any]
    record_ids: Sequence[UUID] = ()
    fields: Sequence[str] | None = None


def log_entry(at: Circumstances, standing: Standing, entry: Entry) -> None:
    """Put on record what is about to happen. Raises Unavailable when that can't be done: then nothing does."""
    scope = standing.scope
    covered = scope.covered(entry.resource) - scope.closed(entry.resource)
    shown = shown_fields(entry.resource) - scope.closed(entry.resource) - covered
    row = {
        "id": new_id(),
        "at": clock.now(),
        "kind": entry.kind,
        **{
            name: getattr(standing, name)
            for name in ("grant_id", "staff_id", "staff_name", "reason", "ticket")
        },
        "visit_id": standing.id,
        "route": at.route,
        "resource": entry.resource.name,
        "query": {name: value for name, value in entry.query.items() if name != "cursor"},
        "shown_fields": sorted(shown if entry.fields is None else entry.fields),
        "masked_fields": sorted(covered) if entry.fields is None else [],
        "record_ids": list(entry.record_ids),
        "request_id": at.request_id,
        "address": at.address,
        "visible_from": standing.visible_from,
    }
    try:
        db().execute(insert(AccessEntry).values(row))
    except SQLAlchemyError as error:
        raise Unavailable("The access log can't be written, so nothing is read.") from error
