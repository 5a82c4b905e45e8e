"""Adds, changes, archives and brings back the fields of a tenant's own."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from tenants.access.policy import change, save
from tenants.access.removal import must_be_removable
from tenants.custom_fields.definitions import TURN, customised, definitions_changed
from tenants.custom_fields.models import MOST_FIELDS, CustomField, Kind
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict, Invalid
from tenants.isolation.door import db
from tenants.isolation.turns import one_at_a_time


def add_field(said: Mapping[str, Any]) -> CustomField:
    """A new field of a resource, behind the others unless its position is said.

    Raises Invalid for a resource that takes none and for choices that don't go with the kind, Conflict when the
    resource has as many as it can have.
    """
    if said["resource"] not in customised():
        known = ", ".join(customised())
        raise Invalid(errors={"resource": [f"Fields can be added to: {known}."]})
    _must_fit(said["kind"], said.get("choices", []))
    one_at_a_time(TURN)
    mine = CustomField.resource == said["resource"]
    last = func.coalesce(func.max(CustomField.position), -1)
    count, position = db().execute(select(func.count(), last + 1).where(mine)).one()
    if count >= MOST_FIELDS:
        raise Conflict(
            f"There are {MOST_FIELDS} fields of {said['resource']} already. Delete one that is archived.",
            code="too_many_fields",
        )
    made = save(CustomField(**{"position": position, **said}))
    definitions_changed()
    return made


def change_field(field: CustomField, said: Mapping[str, Any]) -> CustomField:
    """Change what may be changed of a field that `find` gave. Raises Invalid as `add_field` does."""
    if "choices" in said:
        _must_fit(field.kind, said["choices"])
    one_at_a_time(TURN)
    changed = change(field, said)
    definitions_changed()
    return changed


def archive_field(field: CustomField) -> CustomField:
    """Take no more values for a field; those that are there can be read. Archived again, it stays as it was."""
    return field if field.archived_at else change_field(field, {"archived_at": now()})


def bring_back(field: CustomField) -> CustomField:
    """Take values for an archived field again."""
    return change_field(field, {"archived_at": None}) if field.archived_at else field


def must_be_archived(field: CustomField) -> None:
    """Raises Conflict: nobody writes values of an archived field while they are being removed."""
    if field.archived_at is None:
        raise Conflict(
            "Archive this field first; then it can be deleted with its values.", code="not_archived"
        )


def must_be_deletable(field: CustomField) -> None:
    """Raises Conflict unless the field is archived, and while a legal hold lies on everything."""
    must_be_archived(field)
    must_be_removable(field.resource, [field.id])


def _must_fit(kind: str, choices: list[str]) -> None:
    if Kind(kind).chosen and not choices:
        raise Invalid(errors={"choices": ["Say what can be chosen."]})
    if choices and not Kind(kind).chosen:
        raise Invalid(errors={"choices": [f"A field of the kind '{kind}' has no choices."]})
