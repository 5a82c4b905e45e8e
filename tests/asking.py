"""Asks every operation of the document with an example of what it takes, made from its schemas."""

import functools
import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import hypothesis
from hypothesis import strategies

from tests.examples import BESIDE, CANARY, FORMS, LEFT_OUT, REFERS, STATES, VALUES, WANTED
from tests.makers import MAKERS
from tests.operations import PREFIX, Document, Operation
from tests.workspace import Client, Workspace

_count = itertools.count(1)


class Examples:
    """What the operations of a document are asked with, in one tenant."""

    def __init__(self, document: Document, workspace: Workspace) -> None:
        self.document, self.workspace = document, workspace
        self._kept: dict[str, str] = {}

    def some(self, resource: str) -> str:
        """The id of one record, the same each time."""
        if resource not in self._kept:
            self._kept[resource] = self.make(resource)
        return self._kept[resource]

    def fitting(self, resource: str) -> str:
        """The id of a record that a body may refer to: a fresh one where the reference uses it up."""
        return self.make(resource) if resource in STATES.values() else self.some(resource)

    def make(self, resource: str) -> str:
        """The id of a fresh record, or of one that is always there."""
        if maker := MAKERS.get(resource):
            return maker(self)
        operation = self.document.find("post", f"{PREFIX}{resource}")
        if operation is None:
            message = f"Nothing makes one of '{resource}': add a maker to MAKERS in tests/makers.py."
            raise AssertionError(message)
        answer = self.ask(self.workspace.admin, operation)
        assert answer.status_code in (201, 202), (
            f"{operation} refused its example {answer.json}: see tests/examples.py"
        )
        return answer.json["id"]

    def ids(self, operation: Operation) -> dict[str, str]:
        """Fresh records for each id in the path."""
        parts = operation.path.removeprefix(PREFIX).split("/")
        return {
            part[1:-1]: self.make(before)
            for before, part in itertools.pairwise(parts)
            if part.startswith("{")
        }

    def ask(
        self,
        client: Client,
        operation: Operation,
        ids: Mapping[str, str] | None = None,
        *,
        json: Any = None,
        **options: Any,
    ) -> Any:
        """Ask an operation with its example, or with this body; `ids` are those of the path."""
        path = operation.path.format(**(self.ids(operation) if ids is None else ids))
        if needed := {
            each["name"]: self.example(each["schema"], operation.resource, each["name"])
            for each in operation.needed
        }:
            options["query_string"] = needed | options.get("query_string", {})
        if operation.form:
            options |= {"data": FORMS[operation.id](self), "content_type": "multipart/form-data"}
        elif operation.body is not None:
            options["json"] = self.body(operation) if json is None else json
        asked_as = client.in_person if operation.people_only else client
        return asked_as.request(operation.method.upper(), path, **options)

    def body(self, operation: Operation) -> Any:
        """A good JSON body."""
        return None if operation.body is None else self.example(operation.body, operation.resource)

    def body_with(self, operation: Operation, path: tuple[str, ...], resource: str, value: str) -> Any:
        """A JSON body whose field at this path refers to this record of a resource."""
        body = replaced(self.body(operation), path, value)
        if resource in BESIDE:
            name, beside = BESIDE[resource]
            body[name] = self.some(beside)
        return body

    def example(self, schema: dict[str, Any], resource: str, name: str = "", owner: str = "") -> Any:
        """A value that a schema allows, with all it has except references that need not be there."""
        owner = schema.get("$ref", owner).rpartition("/")[2] or owner
        schema = self.document.resolve(schema)
        if "anyOf" in schema:
            return self.example(
                next(each for each in schema["anyOf"] if each.get("type") != "null"), resource, name, owner
            )
        if "enum" in schema:
            return next(each for each in schema["enum"] if each is not None)
        kind = schema.get("type", "object")
        kind = next(each for each in kind if each != "null") if isinstance(kind, list) else kind
        if kind in ("object", "array"):
            return (
                self._object(schema, resource, owner)
                if kind == "object"
                else [self.example(schema["items"], resource, name, owner)]
            )
        if schema.get("format") == "uuid":
            return self.fitting(STATES.get((owner, name)) or referred(self.document, name, resource))
        if (value := VALUES.get(f"{owner}.{name}", VALUES.get(name))) is not None:
            return value(next(_count)) if callable(value) else value
        return _plain(kind, schema, name)

    def _object(self, schema: dict[str, Any], resource: str, owner: str) -> dict[str, Any]:
        known = schema.get("properties", {})
        if known.keys() == {"amount", "currency"}:
            return {"amount": "12.50", "currency": "EUR"}
        needed = {*schema.get("required", ()), *WANTED.get(owner, ())}
        return {
            name: self.example(each, resource, name, owner)
            for name, each in known.items()
            if name in needed or ((owner, name) not in LEFT_OUT and not self._refers(each))
        }

    def _refers(self, schema: dict[str, Any]) -> bool:
        """Whether an example of it would need another record."""
        schema = self.document.resolve(schema)
        inner = [*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else ())]
        required = [
            each for name, each in schema.get("properties", {}).items() if name in schema.get("required", ())
        ]
        return schema.get("format") == "uuid" or any(self._refers(each) for each in (*inner, *required))

    def references(
        self, schema: dict[str, Any], resource: str, path: tuple[str, ...] = (), owner: str = ""
    ) -> Iterator[Any]:
        """Each field of a body that refers to a record: its path, and what a good value is one of."""
        owner = schema.get("$ref", owner).rpartition("/")[2] or owner
        schema = self.document.resolve(schema)
        for each in schema.get("anyOf", ()):
            yield from self.references(each, resource, path, owner)
        if "items" in schema:
            yield from self.references(schema["items"], resource, (*path, "0"), owner)
        for name, each in schema.get("properties", {}).items():
            if self.document.resolve(each).get("format") == "uuid":
                yield (*path, name), STATES.get((owner, name)) or referred(self.document, name, resource)
            else:
                yield from self.references(each, resource, (*path, name), owner)


def referred(document: Document, name: str, resource: str) -> str:
    """The resource that a field such as `company_id` refers to."""
    if name == "parent_id":
        return resource
    stem = REFERS.get(name) or name.removesuffix("_id").replace("_", "-")
    for plural in (stem, f"{stem}s", f"{stem.removesuffix('y')}ies"):
        if plural in document.collections or plural in MAKERS:
            return plural
    message = f"Nobody knows what '{name}' of {resource} refers to: add it to REFERS in tests/examples.py."
    raise AssertionError(message)


@functools.cache
def _fitting(pattern: str) -> str:
    """The simplest text that fits; to look for it takes seconds."""
    return hypothesis.find(strategies.from_regex(pattern, fullmatch=True), lambda _: True)


def _plain(kind: str, schema: dict[str, Any], name: str) -> Any:
    form, longest = schema.get("format"), schema.get("maxLength", 1000)
    if kind == "string" and "pattern" in schema:
        return _fitting(schema["pattern"])
    return {
        "string": {
            "date": "2026-03-02",
            "date-time": "2026-03-02T10:00:00.000000Z",
            "email": "a@example.test",
        }.get(form, f"{CANARY} {name} {next(_count)}".ljust(schema.get("minLength", 0), "x")[:longest]),
        "integer": int(schema.get("minimum", 1)),
        "number": schema.get("minimum", 1),
        "boolean": False,
    }[kind]


def replaced(body: Any, path: tuple[str, ...], value: Any) -> Any:
    """A copy of a body with one value replaced, and whatever is missing on the way to it."""
    if not path:
        return value
    first, rest = path[0], path[1:]
    if first == "0":
        return [replaced(body[0] if body else {}, rest, value)]
    return {**(body or {}), first: replaced((body or {}).get(first), rest, value)}
