"""What each route says of itself in the OpenAPI document: its permission, purpose, parameters and answers."""

import copy
import functools
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import marshmallow
from flask_smorest.utils import deepupdate
from marshmallow import fields

from tenants.access.permissions import Permission
from tenants.custom_fields.models import COLUMN, NAME, PREFIX
from tenants.foundation.tables import Purpose
from tenants.http.filters import operators
from tenants.http.representation import Resource
from tenants.http.selection import MOST, USUAL

View = Callable[..., Any]
#: The extension of an application that holds what is still to be described when somebody asks for the document.
DESCRIBED_LATER = "described_later"
METHODS = ("get", "post", "put", "patch", "delete")
REFUSALS = {
    "400": "The request can't be read.",
    "401": "No credential, or one that is not good any more.",
    "403": "The caller lacks the permission.",
    "404": "There is no such thing within the caller's reach.",
    "409": "Against a rule of the business, under way already, or altered where it is stored.",
    "410": "It was there and is gone: its time is over, or its key was destroyed.",
    "412": "`If-Match` names another version.",
    "413": "Larger than we take.",
    "415": "A content type that is not read here.",
    "422": "Values that are not right; `errors` names them.",
    "423": "The workspace is put away; its admins wake it.",
    "429": "The allowance is used up; see `Retry-After`.",
    "503": "Something we need is away; see `Retry-After`.",
}
ALWAYS = ("400", "409", "410", "422", "423", "429", "503")
BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
WRITING = ("412", "413", "415")
OWN_FILTER = rf"^{COLUMN}\.{NAME[1:-1]}(\[(contains|gt|gte|in|is_null|lt|lte|ne)\])?$"
OWN_FILTERS = (
    f"`{PREFIX}NAME=` and `{PREFIX}NAME[gte]=` and so on, on fields of the tenant's own: GET /api/v1/fields says"
    " which there are, and their kinds which operators they take."
)
OWN_SORTS = f" Also `{PREFIX}NAME`, by fields of the tenant's own: GET /api/v1/fields."


def describe(view: View, may: Permission, purpose: Purpose, name: str) -> View:
    """Name the operation, its permission and its purpose in the document."""
    marks: dict[str, Any] = {"operationId": name, "x-permission": may.name, "x-purpose": purpose.value}
    marks |= {"x-people-only": True} if may.people_only else {}
    marks |= {"x-step-up": True} if may.step_up else {}
    return _described(view, lambda: marks)


def describe_page(view: View, resource: Resource) -> View:
    """A list's parameters and answer."""

    def said() -> dict[str, Any]:
        answer = {"description": "A page of records.", "content": _json(_page_schema(resource))}
        return {"parameters": list(_page_parameters(resource)), "responses": {"200": answer}}

    return _described(view, said)


def describe_figures(view: View, resource: Resource, parameters: list[dict[str, Any]]) -> View:
    """Figures over the records that a list with the same filters would show; `parameters` are the route's own."""

    def said() -> dict[str, Any]:
        return {"parameters": [*copy.deepcopy(parameters), *_words(resource), *_filters(resource)]}

    return _described(view, said)


def describe_one(view: View, resource: Resource) -> View:
    """A single record's parameters and answer."""

    def said() -> dict[str, Any]:
        answer = {"description": "The record.", "content": _json(resource.schema)}
        answers = {"200": answer, "304": {"description": "You have it."}}
        return {"parameters": [*_include(resource)], "responses": answers}

    return _described(view, said)


def _described(view: View, said: Callable[[], dict[str, Any]]) -> View:
    """Marks the view with what is to be said of it once somebody asks for the document: most processes never do."""

    @functools.wraps(view)
    def run(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    marks = getattr(view, "_apidoc", {})
    setattr(run, "_apidoc", {**marks, "house": (*marks.get("house", ()), said)})  # noqa: B010 - flask-smorest looks there
    return run


def add_what_is_said(operation: dict[str, Any], marks: dict[str, Any], **_options: Any) -> dict[str, Any]:
    """One of the steps by which flask-smorest prepares the description of an operation."""
    for said in marks.get("house", ()):
        operation = deepupdate(operation, said())
    return operation


def _json(schema: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


@lru_cache(200)
def _page_schema(resource: Resource) -> marshmallow.Schema:
    name = type(resource.schema).__name__.removesuffix("Schema") + "Page"
    made = marshmallow.Schema.from_dict(
        {
            "data": fields.List(fields.Nested(resource.schema), required=True),
            "next_cursor": fields.String(required=True, allow_none=True),
        },
        name=name,
    )
    return made()


def _page_parameters(resource: Resource) -> Iterator[dict[str, Any]]:
    yield _query(
        "limit", {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}, "Records on a page."
    )
    yield _query("cursor", {"type": "string"}, "`next_cursor` of the page before.")
    names = sorted(resource.filterable)
    yield _query(
        "sort",
        {"type": "string", "default": resource.sort},
        f"Fields by comma, `-` for downwards: {', '.join(names)}.{OWN_SORTS if resource.customised else ''}",
    )
    yield from _words(resource)
    yield from _include(resource)
    yield from _filters(resource)


def _words(resource: Resource) -> Iterator[dict[str, Any]]:
    if resource.search:
        yield _query(
            "q",
            {"type": "string", "maxLength": 500},
            "Words or their beginnings; a record has to have all of them.",
        )


def _filters(resource: Resource) -> Iterator[dict[str, Any]]:
    for name, each in resource.filterable.items():
        for operator in operators(each):
            shown = name if operator == "eq" else f"{name}[{operator}]"
            yield _query(shown, _filter_schema(each, operator), f"`{operator}` on `{name}`.")
    if resource.customised:
        yield _own_filters()


def _own_filters() -> dict[str, Any]:
    """Filters by names that the tenant gave: an object whose pairs stand in the query as they are (form, exploded)."""
    schema = {
        "type": "object",
        "patternProperties": {OWN_FILTER: {"type": "string"}},
        "additionalProperties": False,
    }
    return {**_query(COLUMN, schema, OWN_FILTERS), "style": "form", "explode": True}


def _include(resource: Resource) -> Iterator[dict[str, Any]]:
    if known := sorted(resource.includable):
        yield _query("include", {"type": "string"}, f"Related records by comma: {', '.join(known)}.")


FORMS: tuple[tuple[Any, dict[str, Any]], ...] = (
    (fields.Integer, {"type": "integer"}),
    (fields.Boolean, {"type": "boolean"}),
    (fields.UUID, {"type": "string", "format": "uuid"}),
    (fields.DateTime, {"type": "string", "format": "date-time"}),
    (fields.Date, {"type": "string", "format": "date"}),
)


def _filter_schema(each: fields.Field[Any], operator: str) -> dict[str, Any]:
    if operator == "is_null":
        return {"type": "boolean"}
    if operator not in ("in", "contains"):
        if isinstance(each, fields.Enum):
            return {"type": "string", "enum": [member.value for member in each.enum]}
        for kind, form in FORMS:
            if isinstance(each, kind):
                return form
    return {"type": "string"}


def _query(name: str, schema: dict[str, Any], text: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": text}
