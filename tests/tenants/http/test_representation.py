"""One representation: the JSON that PostgreSQL builds is what the schema of the resource says of the record."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from marshmallow import fields
from sqlalchemy import select
from sqlalchemy.orm import selectinload
from werkzeug.datastructures import MultiDict

from tenants.access.caller import SYSTEM, Caller, act_as
from tenants.http.representation import Resource, always
from tenants.http.rows import one
from tenants.http.selection import Selection
from tenants.http.selects import MASK
from tenants.isolation.door import db, inside
from tenants.isolation.reading import read
from tenants.isolation.sealing import opened
from tests.architecture.test_declarations import resources
from tests.asking import Examples
from tests.examples import CANARY
from tests.makers import MAKERS
from tests.operations import document_of
from tests.workspace import Workspace

RESOURCES = resources()
READER = replace(SYSTEM, name="Reader")


@pytest.fixture(scope="module")
def furnished(app: Flask, new_workspace: Callable[[], Workspace]) -> Workspace:
    """A tenant with a record of everything, as full as its examples make it."""
    workspace = new_workspace()
    document = document_of(app)
    examples = Examples(document, workspace)
    for operation in document.operations:
        if operation.public or operation.method not in ("post", "put", "patch"):
            continue
        for path, resource in [("", "")] + [
            (path, resource)
            for path, resource in examples.references(operation.body or {}, operation.resource)
        ]:
            body = examples.body_with(operation, path, resource, examples.fitting(resource)) if path else None
            examples.ask(workspace.admin, operation, json=body)
    for resource in MAKERS.keys() & {each.name for each in RESOURCES.values()}:
        examples.make(resource)
    return workspace


def _fast(
    resource: Resource, workspace: Workspace, record_id: Any, caller: Caller, includes: str
) -> tuple[Any, str]:
    """What a reader gets, and all that the driver brought for it."""
    arguments = MultiDict({"include": includes} if includes else {})
    asked = Selection(resource, {"id": record_id}, single=True).ask(caller, arguments)
    (rows,) = read(workspace.home, asked.question)
    return json.loads(one(asked, rows, workspace.home.id)), repr(rows)


def _records(resource: Resource) -> list[Any]:
    wanted = [
        selectinload(getattr(resource.model, resource.relationship(name).key))
        for name in resource.schema.fields
        if name in resource.includable or always(resource.schema.fields[name])
    ]
    return list(db().scalars(select(resource.model).options(*wanted).limit(20)))


class Readable:
    """A record as the schema reads it: words as members of their enums, sealed values opened."""

    def __init__(self, resource: Resource, record: Any) -> None:
        self._resource, self._record = resource, record

    def __getattr__(self, name: str) -> Any:
        each = self._resource.schema.fields.get(name)
        if each is not None and not isinstance(each, fields.Nested) and self._resource.sealed(name):
            return opened(self._record, name)
        value = getattr(self._record, name)
        if isinstance(each, fields.Enum) and value is not None:
            return each.enum(value)
        if isinstance(each, fields.Dict) and isinstance(each.value_field, fields.Enum):
            return {key: each.value_field.enum(word) for key, word in value.items()}
        return value


def _dumped(resource: Resource, record: Any, *, includes: bool) -> dict[str, Any]:
    left_out = {*resource.expressions, *(() if includes else resource.includable)}
    schema = type(resource.schema)(exclude=left_out)
    said: dict[str, Any] = schema.dump(Readable(resource, record))
    return said


@pytest.mark.parametrize("name", RESOURCES)
def test_the_fast_json_is_what_the_schema_says(furnished: Workspace, acme: Workspace, name: str) -> None:
    resource = RESOURCES[name]
    with inside(furnished.home):
        act_as(SYSTEM)
        records = _records(resource)
        said = {
            each.id: (_dumped(resource, each, includes=True), _dumped(resource, each, includes=False))
            for each in records
        }
    if not said:
        assert resource.name in EMPTY, f"Nothing to compare of {resource.name}: see tests/examples.py"
        return
    for record_id, (whole, plain) in said.items():
        shown, _ = _fast(resource, furnished, record_id, READER, ",".join(resource.includable))
        assert {each: shown[each] for each in whole} == whole
        assert shown.keys() == resource.schema.fields.keys()
        shown, _ = _fast(resource, furnished, record_id, READER, "")
        assert {each: shown[each] for each in plain} == plain
        assert shown.keys() == resource.schema.fields.keys() - resource.includable.keys()


#: Resources of which the examples make none.
EMPTY = {"sessions"}


@pytest.mark.parametrize("name", RESOURCES)
def test_hidden_fields_are_left_out_and_masked_ones_never_leave_the_database(
    furnished: Workspace, acme: Workspace, name: str
) -> None:
    resource = RESOURCES[name]
    with inside(furnished.home):
        act_as(SYSTEM)
        found = [(each.id, _dumped(resource, each, includes=False)) for each in _records(resource)]
    for field, _ in resource.plain():
        if field in ("id", "version"):
            continue
        hiding = replace(READER, hidden={resource.name: frozenset({field})})
        masking = replace(READER, masked={resource.name: frozenset({field})})
        for record_id, clear in found[:3]:
            shown, _ = _fast(resource, furnished, record_id, hiding, "")
            assert field not in shown
            shown, brought = _fast(resource, furnished, record_id, masking, "")
            assert shown[field] in (MASK, None)
            value = clear.get(field)
            if isinstance(value, str) and CANARY in value:
                assert value not in brought
