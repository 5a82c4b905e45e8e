"""What of a resource is closed to a caller: the fields that field rules hide, cover up or fix, and all that shows them.

A field that would show the column of a hidden one is hidden with it: whoever may not see `company_id` gets no
`company` either, and amounts go with a hidden currency.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import marshmallow
import sqlalchemy as sa
from marshmallow import fields
from sqlalchemy.sql import visitors

from tenants.access.caller import Caller
from tenants.custom_fields.models import COLUMN, PREFIX
from tenants.foundation.errors import NotAllowed
from tenants.http.custom_filters import is_closed, names_custom
from tenants.http.representation import NEVER_CLOSED, Resource, nested_of, resources_of

NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Closed:
    """What is closed to one caller in the answers of one resource.

    `elsewhere` has hidden and masked fields of the resources that are shown along with it; `unsearched` the columns
    whose words are not looked into.
    """

    hidden: frozenset[str] = NONE
    masked: frozenset[str] = NONE
    elsewhere: tuple[tuple[str, frozenset[str], frozenset[str]], ...] = ()
    unsearched: frozenset[str] = NONE


NOTHING = Closed()


def closed_to(caller: Caller, resource: Resource) -> Closed:
    """What the answers of a resource leave out or cover up for this caller."""
    if not caller.hidden and not caller.masked:
        return NOTHING
    hidden, masked = _of(resource, caller.hidden), _of(resource, caller.masked)
    shown = sorted({*caller.hidden, *caller.masked})
    if not resource.covers:
        shown = [each for each in shown if each in resource.resources_shown]
    found = ((each, fields_hidden(caller, each), _fields(each, caller.masked)) for each in shown)
    elsewhere = tuple(each for each in found if each[1] or each[2])
    return Closed(hidden, masked, elsewhere, _unsearched(resource, hidden | masked))


def fields_hidden(caller: Caller, name: str) -> frozenset[str]:
    """The fields of the resource of this name that this caller can't see."""
    return _fields(name, caller.hidden)


def fields_closed(caller: Caller, name: str) -> frozenset[str]:
    """The fields of the resource of this name that this caller can't see, or only covered up."""
    return fields_hidden(caller, name) | _fields(name, caller.masked)


def fields_fixed(caller: Caller, name: str) -> frozenset[str]:
    """The fields of the resource of this name that this caller can't change, hidden ones among them."""
    return fields_closed(caller, name) | frozenset(caller.fixed.get(name, NONE))


@lru_cache(2000)
def columns_of(name: str, closed: frozenset[str]) -> frozenset[str]:
    """The columns that these fields of a resource stand for, and those that no other field shows."""
    found: set[str] = set()
    for resource in resources_of(name):
        mine = [each for each in closed if each in resource.schema.fields]
        others = [each for each in resource.schema.fields if each not in closed]
        seen = _all(_shows(resource, each) for each in others)
        found |= _all(_stands_for(resource, each) for each in mine)
        found |= _all(_shows(resource, each) for each in mine) - seen
        found |= _own_fields(resource, closed)
    return frozenset(found)


@lru_cache(2000)
def shows_closed(
    each: fields.Field[Any], name: str, table: Any, governing: str, closed: frozenset[str]
) -> bool:
    """Whether a field of a nested record, of the resource `governing`, is closed or shows what is."""
    if name in NEVER_CLOSED:
        return False
    shown = _columns_in(each.rendered(table)) if hasattr(each, "rendered") else {each.attribute or name}
    return name in closed or bool(shown & _standing_columns(governing, closed))


def _of(resource: Resource, rules: Any) -> frozenset[str]:
    """The closed fields of a resource, also where it tells the history of another one's fields."""
    closed = _widened(resource, frozenset(rules.get(resource.name, NONE)))
    if not resource.mirrors:
        return closed
    theirs = _fields(resource.permission.removesuffix(":read"), rules)
    return closed | {mine for mine, other in resource.mirrors.items() if other in theirs}


def _fields(name: str, rules: Any) -> frozenset[str]:
    said = rules.get(name)
    return _all_widened(name, frozenset(said)) if said else NONE


@lru_cache(2000)
def _all_widened(name: str, closed: frozenset[str]) -> frozenset[str]:
    return frozenset(_all(_widened(each, closed) for each in resources_of(name)))


@lru_cache(2000)
def _widened(resource: Resource, closed: frozenset[str]) -> frozenset[str]:
    """These fields, as far as there are such, and all others that would show their columns."""
    mine = {name for name in closed - NEVER_CLOSED if name in resource.schema.fields}
    columns = _all(_stands_for(resource, name) for name in mine)
    others = resource.schema.fields.keys() - NEVER_CLOSED
    shown = {name for name in others if _shows(resource, name) & columns}
    return frozenset(mine | shown | _own_fields(resource, closed))


def _own_fields(resource: Resource, closed: frozenset[str]) -> set[str]:
    """Closed fields that the tenant added; in the audit they are called like that too."""
    return {name for name in closed if names_custom(name)} if COLUMN in resource.schema.fields else set()


def _standing_columns(name: str, closed: frozenset[str]) -> set[str]:
    return _all(
        _stands_for(resource, each)
        for resource in resources_of(name)
        for each in closed
        if each in resource.schema.fields
    )


def _stands_for(resource: Resource, name: str) -> set[str]:
    """The columns whose value a field is: of an amount of money its amount."""
    if names_custom(name) or nested_of(resource.schema.fields[name]) or name in resource.expressions:
        return set()
    return _columns_in(resource.comparable(name, resource.mapper.local_table))


def _shows(resource: Resource, name: str) -> set[str]:
    """The columns that can be read off a field; what is worked out from several shows none of them."""
    if name in resource.expressions:
        return set()
    if nested_of(resource.schema.fields[name]):
        relation = resource.relationship(name)
        return {mine.name for mine, _ in relation.local_remote_pairs if not mine.primary_key}
    table = resource.mapper.local_table
    if resource.sealed(name):
        return _columns_in(resource.comparable(name, table))
    return _columns_in(resource.rendered(name, table))


def _columns_in(shown: Any) -> set[str]:
    return {each.name for each in visitors.iterate(shown) if isinstance(each, sa.Column)}


def _unsearched(resource: Resource, closed: frozenset[str]) -> frozenset[str]:
    if resource.search is None or not closed:
        return NONE
    columns = _all(_stands_for(resource, name) for name in closed)
    return frozenset(columns & set(resource.mapper.local_table.c[resource.search].info["words"].columns))


def refuse_closed(caller: Caller, resource: Resource, schema: marshmallow.Schema, said: Any) -> None:
    """Raises NotAllowed that names the fields of a body which the caller can't see or change.

    A field of a body means the field of the same name, unless its metadata says which one it `sets`; where it makes
    a record of another resource, `makes` says of which.
    """
    if not (caller.hidden or caller.masked or caller.fixed) or not isinstance(said, dict):
        return
    if closed := sorted(_said(caller, resource.permission.removesuffix(":read"), schema, said)):
        texts = {name: ["Your roles don't let you change this."] for name in closed}
        raise NotAllowed(f"You may not set {', '.join(closed)}.", code="closed_field", errors=texts)


def _said(caller: Caller, name: str, schema: marshmallow.Schema, said: dict[str, Any]) -> Iterator[str]:
    fixed = fields_fixed(caller, name)
    for key, value in said.items():
        each = schema.fields.get(key)
        if each is None:
            continue
        if each.metadata.get("sets", key) in fixed:
            yield key
        elif key == COLUMN and isinstance(value, dict):
            yield from (PREFIX + inner for inner in value if is_closed(PREFIX + inner, fixed))
        nested, makes = nested_of(each), each.metadata.get("makes")
        if nested is not None and makes and isinstance(value, dict):
            yield from (f"{key}.{inner}" for inner in _said(caller, makes, nested, value))


def _all(sets: Iterable[Iterable[str]]) -> set[str]:
    return {name for each in sets for name in each}
