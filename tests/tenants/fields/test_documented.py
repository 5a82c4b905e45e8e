"""The OpenAPI document says where values of a tenant's own fields stand, and how lists filter and sort by them."""

import re
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from tenants.custom_fields.definitions import customised
from tests.workspace import Workspace

LISTED = "GET /api/v1/fields"


@pytest.fixture(scope="module")
def document(app: Flask) -> Any:
    return app.test_client().get("/api/v1/openapi.json").json


def parameters(document: Any, resource: str) -> dict[str, Any]:
    return {each["name"]: each for each in document["paths"][f"/api/v1/{resource}"]["get"]["parameters"]}


@pytest.mark.parametrize("resource", ["companies", "contacts", "deals", "leads", "products"])
def test_it_says_where_they_stand_and_who_lists_them(document: Any, resource: str) -> None:
    assert resource in customised()
    found = parameters(document, resource)
    assert LISTED in found["custom"]["description"]
    assert "custom.NAME" in found["sort"]["description"]
    assert (found["custom"]["in"], found["custom"]["style"], found["custom"]["explode"]) == (
        "query",
        "form",
        True,
    )
    schemas = document["components"]["schemas"]
    custom = [
        schema["properties"]["custom"] for name, schema in schemas.items() if _of(resource, name, schema)
    ]
    assert custom
    for each in custom:
        assert each["type"] == "object"
        assert LISTED in each["description"]


def _of(resource: str, name: str, schema: Any) -> bool:
    one = {"companies": "Company"}.get(resource, resource[:-1].title())
    return name.startswith(one) and "custom" in schema.get("properties", {})


def test_what_takes_none_names_none(document: Any) -> None:
    assert "custom" not in parameters(document, "invoices")
    assert "custom.NAME" not in parameters(document, "invoices")["sort"]["description"]


def test_the_filters_that_it_describes_are_those_that_lists_take(
    document: Any, own: Workspace, neighbour: Workspace
) -> None:
    (pattern,) = parameters(document, "contacts")["custom"]["schema"]["patternProperties"]
    questions = {
        "custom.weight": "1", "custom.weight[gte]": "1", "custom.weight[lt]": "1", "custom.size[in]": "S,M",
        "custom.nickname[contains]": "a", "custom.vip[is_null]": "true", "custom.since[ne]": "2020-01-01",
    }  # fmt: skip
    for name, value in questions.items():
        assert re.search(pattern, name), name
        assert own.admin.get("/contacts", query_string={name: value}).status_code == 200, name
        assert neighbour.admin.get("/contacts", query_string={name: value}).status_code == 422, name
    for name in (
        "custom",
        "custom.",
        "custom.Weight",
        "custom.weight[like]",
        "custom.weight]",
        "x.custom.weight",
    ):
        assert not re.search(pattern, name), name
        assert own.admin.get("/contacts", query_string={name: "1"}).status_code == 422, name


MANY = settings(
    max_examples=12, derandomize=True, database=None, deadline=None, phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


def test_what_is_made_from_it_stands_in_the_query_as_lists_read_it(
    document: Any, own: Workspace, neighbour: Workspace
) -> None:
    """Programs that are made from the document write the pairs of the object beside the other filters."""
    answers = {"200": {"description": "A page."}}
    listing = {"parameters": [parameters(document, "contacts")["custom"]], "responses": answers}
    alone = {
        "openapi": document["openapi"],
        "info": document["info"],
        "paths": {"/contacts": {"get": listing}},
    }
    made: set[str] = set()

    @given(case=schemathesis.openapi.from_dict(alone)["/contacts"]["GET"].as_strategy())
    @MANY
    def ask(case: Any) -> None:
        asked = case.query or {}
        made.update(asked)
        for tenant in (own, neighbour):
            answer = tenant.admin.get("/contacts", query_string=asked)
            assert (answer.status_code, set(answer.json.get("errors", ()))) == (
                422 if asked else 200,
                set(asked),
            )

    ask()
    assert made
    assert all(each.startswith("custom.") for each in made)


@pytest.mark.soak
def test_bodies_that_nobody_thought_of_are_made_from_it(
    app: Flask, own: Workspace, neighbour: Workspace
) -> None:
    operation = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)["/api/v1/contacts"]["POST"]

    @given(case=operation.as_strategy())
    @MANY
    def ask(case: Any) -> None:
        for tenant in (own, neighbour):
            answer = case.call(headers=tenant.admin.headers)
            checks = [not_a_server_error, status_code_conformance, response_schema_conformance]
            case.validate_response(answer, checks=checks)

    ask()
