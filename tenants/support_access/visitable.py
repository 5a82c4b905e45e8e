"""Which resources a grant can name at all: a list that the product makes once, at start-up.

What is not on it stays out of reach whatever a grant says: exports, keys, users, roles, the audit and this very log.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from marshmallow import Schema, fields
from sqlalchemy import Column
from sqlalchemy.sql import visitors

from tenants.foundation.errors import Invalid
from tenants.http.representation import Resource, nested_of

#: What tells one record from another, and its age, says nothing of anybody.
PLAIN = frozenset({"id", "version", "created_at", "updated_at"})


@dataclass(frozen=True, eq=False)
class Visitable:
    """A resource that a visit may read, and change where `body` says what may be said of it."""

    resource: Resource
    body: Schema | None = None


_open: dict[str, Visitable] = {}


def open_to_visits(*each: Visitable) -> None:
    """Say once, at start-up, what our people can be let into."""
    _open.clear()
    _open.update({one.resource.name: one for one in each})


def visitable(name: str) -> Visitable | None:
    return _open.get(name)


def visitable_names() -> list[str]:
    return sorted(_open)


def check_scope(resources: Sequence[str], chosen: Mapping[str, Sequence[str]] | None) -> None:
    """Raises Invalid for a resource or field that no grant can name."""
    if unknown := sorted(set(resources) - _open.keys()):
        raise Invalid(errors={"resources": [f"'{name}' can't be opened to a visit." for name in unknown]})
    for name, wanted in (chosen or {}).items():
        if name not in resources:
            raise Invalid(errors={"only_fields": [f"'{name}' is not among the resources."]})
        if missing := sorted(set(wanted) - shown_fields(_open[name].resource)):
            raise Invalid(errors={"only_fields": [f"{name} has no field '{each}'." for each in missing]})


@lru_cache(100)
def shown_fields(resource: Resource) -> frozenset[str]:
    """The fields that are a record's own. Related records never come along: they would not be in the log."""
    return frozenset(name for name, _ in resource.plain())


@lru_cache(100)
def related_fields(resource: Resource) -> frozenset[str]:
    return frozenset(name for name, each in resource.schema.fields.items() if nested_of(each))


@lru_cache(100)
def sealed_fields(resource: Resource) -> frozenset[str]:
    """What no visit opens, masked or not."""
    return frozenset(name for name in shown_fields(resource) if resource.sealed(name))


@lru_cache(100)
def personal_fields(resource: Resource) -> frozenset[str]:
    """Every field that is made of a personal column, in whatever way."""
    table = resource.mapper.local_table
    found = (
        name
        for name in shown_fields(resource) - sealed_fields(resource)
        if _is_personal(resource, name, table)
    )
    return frozenset(found) - PLAIN


def _is_personal(resource: Resource, name: str, table: object) -> bool:
    shown = (resource.rendered(name, table), resource.comparable(name, table))
    parts = [part for each in shown for part in visitors.iterate(each) if isinstance(part, Column)]
    # An expression over no column of this table can be about anything.
    opaque = not parts and not isinstance(resource.schema.fields[name], fields.Constant)
    return opaque or any(part.info["data"].personal for part in parts)
