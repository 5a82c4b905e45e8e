"""The grammar of list filters: `field=value`, `field[gte]=value`, read by the field's own schema."""

import re
from collections.abc import Mapping
from typing import Any

import marshmallow
import sqlalchemy as sa
from marshmallow import fields
from sqlalchemy import ColumnElement, bindparam
from sqlalchemy.dialects.postgresql import ARRAY

from tenants.custom_fields.models import Definition
from tenants.foundation.errors import Invalid
from tenants.http.custom_filters import filterable, is_closed, operators_on
from tenants.http.representation import Resource, SqlField

NAME = re.compile(r"^(?P<field>[a-z][a-z_0-9.]*)(\[(?P<operator>[a-z_]+)\])?$")
NO_FIELDS: Mapping[str, Definition] = {}
COMPARED = ("gt", "gte", "lt", "lte")
MOST_VALUES = 200


def operators(each: fields.Field[Any]) -> tuple[str, ...]:
    """What a filter on this field may ask."""
    if isinstance(each, fields.Boolean):
        return ("eq", "ne", "is_null")
    if isinstance(each, fields.UUID):
        return ("eq", "ne", "in", "is_null")
    return (
        "eq",
        "ne",
        "in",
        "is_null",
        *(["contains"] if isinstance(each, fields.String) else []),
        *COMPARED,
    )


def read_filters(
    resource: Resource,
    arguments: Mapping[str, list[str]],
    hidden: frozenset[str],
    custom: Mapping[str, Definition] = NO_FIELDS,
) -> tuple[tuple[tuple[str, str], ...], dict[str, Any]]:
    """The filters of a query string, as (field, operator) pairs in a stable order, and their values by parameter.

    `custom` are the definitions of the tenant's own fields. Raises Invalid that names every filter which is unknown or
    whose value can't be read.
    """
    known = {**resource.filterable, **filterable(custom)} if custom else resource.filterable
    read: dict[tuple[str, str], Any] = {}
    errors: dict[str, list[str]] = {}
    for argument, values in arguments.items():
        match = NAME.match(argument)
        name, operator = (match["field"], match["operator"] or "eq") if match else (argument, "eq")
        if (
            match is None
            or name not in known
            or is_closed(name, hidden)
            or operator not in (operators_on(name, custom) or operators(known[name]))
        ):
            errors[argument] = ["There is no such filter."]
            continue
        if len(values) > 1:
            errors[argument] = ["Given twice. Use [in] with a comma between values."]
            continue
        try:
            read[name, operator] = _value(known[name], operator, values[0])
        except marshmallow.ValidationError as error:
            errors[argument] = [str(each) for each in error.messages]
    if errors:
        raise Invalid("Some filters are not right.", errors=errors)
    ordered = tuple(sorted(read))
    return ordered, {f"filter_{number}": read[each] for number, each in enumerate(ordered)}


def _value(each: fields.Field[Any], operator: str, text: str) -> Any:
    if "\0" in text:
        raise marshmallow.ValidationError("A NUL character can't be stored or looked for.")
    if operator == "is_null":
        return fields.Boolean().deserialize(text)
    if operator == "contains":
        return "%" + re.sub(r"([\\%_])", r"\\\1", text) + "%"
    if operator == "in":
        parts = text.split(",")
        if len(parts) > MOST_VALUES:
            raise marshmallow.ValidationError(f"At most {MOST_VALUES} values.")
        return [_single(each, part) for part in parts]
    return _single(each, text)


def _single(each: fields.Field[Any], text: str) -> Any:
    if isinstance(each, SqlField):
        return each.read_value(text)
    read = each.deserialize(text)
    return getattr(read, "value", read)


def condition(column: ColumnElement[Any], operator: str, parameter: str) -> ColumnElement[bool]:
    """One filter as SQL; its value is the parameter of that name."""
    mark = bindparam(parameter, type_=column.type)
    match operator:
        case "in":
            return column == bindparam(parameter, type_=ARRAY(column.type)).any_()
        case "is_null":
            return column.is_(None) == bindparam(parameter, type_=sa.Boolean())
        case "contains":
            return sa.cast(column, sa.Text).ilike(bindparam(parameter, type_=sa.Text()))
        case "ne":
            return column.is_distinct_from(mark)
    return {
        "eq": column == mark,
        "gt": column > mark,
        "gte": column >= mark,
        "lt": column < mark,
        "lte": column <= mark,
    }[operator]
