"""What a record takes over from another one that it is made from, as far as that shows nobody what is closed to them."""

from collections.abc import Mapping
from typing import Any

import marshmallow

from tenants.access.caller import Caller
from tenants.custom_fields.definitions import definitions
from tenants.custom_fields.models import PREFIX, Definition
from tenants.http.closed import fields_closed, fields_hidden
from tenants.http.custom_filters import is_closed
from tenants.http.custom_values import needed, read_value

#: A field, as filters and field rules call it, with the resource that it is of.
Place = tuple[str, str]


def would_show(caller: Caller, before: Place, after: Place) -> bool:
    """Whether a value that goes from one field to another would show this caller what is closed to them where it was."""
    if is_closed(before[1], fields_hidden(caller, before[0])):
        return not is_closed(after[1], fields_hidden(caller, after[0]))
    covered = is_closed(before[1], fields_closed(caller, before[0]))
    return covered and not is_closed(after[1], fields_closed(caller, after[0]))


def carried(caller: Caller, values: Mapping[str, Any] | None, before: str, after: str) -> dict[str, Any]:
    """What a record of the resource `after` takes over from one of `before`, of the fields that the tenant added.

    These are the values of fields that are called the same there, are of the same kind and take the value; without
    those that would show the caller what is closed to them.
    """
    if not values:
        return {}
    known = definitions(holding=True)
    theirs, ours = known.of(before), known.of(after)
    same = (
        name for name in values if name in theirs and name in ours and theirs[name].kind is ours[name].kind
    )
    taken = (name for name in same if _takes(ours[name], values[name]))
    shut = {name for name in values if would_show(caller, (before, PREFIX + name), (after, PREFIX + name))}
    return {name: values[name] for name in taken if name not in shut}


def missing(resource: str, values: Mapping[str, Any]) -> list[str]:
    """The required fields of a resource of which a new record would have no value."""
    return [name for name in needed(resource) if values.get(name) is None]


def _takes(each: Definition, value: Any) -> bool:
    try:
        return bool(read_value(each, value) == value)
    except marshmallow.ValidationError:
        return False
