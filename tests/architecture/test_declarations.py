"""What is declared about routes, jobs, tables and resources, and what follows from it."""

import ast
import importlib
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import UniqueConstraint

import crm.app
from tenants.access.permissions import registered
from tenants.access.policy import resource_of
from tenants.access.roles import built_in_roles
from tenants.catalog.models import CatalogBase
from tenants.foundation.tables import Base, DataClass, Owned, Purpose, Record, undeclared
from tenants.http.representation import Resource
from tenants.jobs.registry import works
from tests.architecture.sources import modules
from tests.operations import document_of

#: Addresses outside of the API, each with its reason.
BESIDE_THE_API = {
    "/health/live": "for whoever runs the process",
    "/health/ready": "for whoever runs the process",
    "/metrics": "for whoever runs the process",
    "/api/v1/openapi.json": "the document itself",
    "/staff/v1/openapi.json": "the document of staff's routes",
    "/.well-known/oauth-authorization-server": "as RFC 8414 says; docs/oauth.md tells of it and of the next four",
    "/oauth/authorize": "a page for people, in the form of OAuth 2.1",
    "/oauth/token": "forms and errors of OAuth 2.1",
    "/oauth/revoke": "forms and errors of RFC 7009",
    "/oauth/introspect": "forms and errors of RFC 7662",
    "/scim/v2": "forms and errors of RFC 7644",
    "/scim/v2/<>": "likewise",
}
PAGES = re.compile(r"^/($|pages/|assets/|favicon|api/v1/docs)")


def resources() -> dict[str, Resource]:
    """Every declared resource, by where it is declared."""
    found = {}
    for path in modules():
        if path.endswith("schemas.py"):
            name = path.removesuffix(".py").replace("/", ".")
            module = importlib.import_module(name)
            found |= {
                f"{name}.{each}": value for each, value in vars(module).items() if isinstance(value, Resource)
            }
    return found


def test_every_route_is_in_the_document_or_on_a_reviewed_list(app: Flask) -> None:
    staff = app.test_client().get("/staff/v1/openapi.json").json
    paths = [*document_of(app).raw["paths"], *staff["paths"]]
    written = {re.sub(r"\{(\w+)\}", "<>", path) for path in paths}
    served = {re.sub(r"<[^>]+>", "<>", rule.rule) for rule in app.url_map.iter_rules()}
    beside = {rule for rule in served - written if not PAGES.match(rule)}
    assert beside == BESIDE_THE_API.keys()


def test_every_permission_in_use_is_registered_and_in_use(app: Flask) -> None:
    used = {each.permission for each in document_of(app).operations} - {
        "anyone",
        "signed_in",
        "in_person",
        "confirmed",
    }
    assert used - registered().keys() == set()


def test_every_role_gives_registered_permissions_only(app: Flask) -> None:
    for role, permissions in built_in_roles().items():
        assert permissions.keys() <= registered().keys(), role
    assert built_in_roles()["admin"].keys() == registered().keys()


def test_every_table_and_column_says_what_it_holds_and_why() -> None:
    assert [*undeclared(Base), *undeclared(CatalogBase)] == []


def test_a_tenant_has_fewer_than_seventy_tables() -> None:
    assert len(Base.metadata.tables) < 70


def test_no_table_of_a_tenant_has_a_tenants_column_or_a_type_of_its_own() -> None:
    for table in Base.metadata.tables.values():
        assert table.schema is None
        assert "tenant_id" not in table.c or table.name in NAMES_ITS_TENANT, table.name
        for column in table.columns:
            assert type(column.type).__name__ not in ("Enum", "ENUM"), f"{table.name}.{column.name}"


#: Bodies that set nothing of a record of a resource, each with its reason.
OF_NO_RECORD = {
    "PATCH /api/v1/access-grants/rules": "what the tenant decided once and for all, no grant",
    "PUT /api/v1/security-overview/security-contact": "what the tenant says of itself",
    "PUT /api/v1/security-overview/review": "that somebody looked, and how often they want to",
    "PUT /api/v1/export-rules": "what the tenant asks of exports",
    "PUT /api/v1/sign-in-rules": "what the tenant asks of everybody",
    "PUT /api/v1/keys/brought": "where a key of the tenant's own is, in no record of it",
    "POST /api/v1/authenticators": "one's own second factors are no resource",
    "PATCH /api/v1/authenticators/<>": "likewise",
    "PUT /api/v1/authenticators/<>/confirmation": "likewise",
    "PUT /api/v1/me/password": "a password is in no resource",
    "POST /api/v1/archives": "the workspace as a whole, in the catalog",
    "POST /api/v1/closing": "likewise",
    "PATCH /api/v1/closing": "likewise",
    "POST /api/v1/sessions/current/confirmation": "what one confirms with is kept nowhere",
}


def test_every_body_keeps_to_the_field_rules_of_the_record_it_is_about(app: Flask) -> None:
    """A route that changes a record and answers with something else says `of=`, or field rules would be passed by."""
    names, free = {each.name for each in resources().values()}, set()
    for path, view in _with_bodies(app):
        rules = {each.name for each in view.rules}
        parts = path.split(" /api/v1/")[1].split("/")
        about = {name for name, after in pairwise(parts) if name in names and after == "<>"}
        about |= {path.removeprefix("POST /api/v1/")} & names
        if rules:
            assert about <= rules, f"{path} is about {about}, and keeps to the field rules of {rules}."
        else:
            free.add(path)
    assert free == OF_NO_RECORD.keys()


def test_a_body_keeps_to_rules_wherever_it_stands_among_decorators() -> None:
    """`answers` above `takes` would hide from it what the route answers with."""
    for path, module in modules().items():
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef):
                said = [each.func.attr for each in node.decorator_list if _is_method(each)]  # type: ignore[attr-defined]
                if {"takes", "answers"} <= set(said):
                    assert said.index("takes") < said.index("answers"), f"{path}: {node.name}"


def _is_method(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)


def _with_bodies(app: Flask) -> Iterator[tuple[str, Any]]:
    """The routes of tenants that somebody known asks with a body: whoever is nobody has no rules to keep to."""
    public = {
        (each.method.upper(), re.sub(r"\{\w+\}", "<>", each.path))
        for each in document_of(app).operations
        if each.public
    }
    for rule in app.url_map.iter_rules():
        view, path = app.view_functions[rule.endpoint], re.sub(r"<[^>]+>", "<>", rule.rule)
        for method in rule.methods & {"POST", "PUT", "PATCH"}:
            if hasattr(view, "body") and (method, path) not in public:
                yield f"{method} {path}", view


#: Tables whose rows name their tenant, and why.
NAMES_ITS_TENANT = {"audit_seals": "a seal is signed for its tenant, and checked outside of it"}


def test_every_constraint_has_a_name_that_fits() -> None:
    for table in Base.metadata.tables.values():
        for each in (*table.constraints, *table.indexes):
            assert each.name, table.name
            assert len(str(each.name)) <= 63, each.name


def test_every_record_with_an_owner_can_be_listed_by_owner_and_team(app: Flask) -> None:
    lists = {each.resource: each for each in document_of(app).operations if each.is_page}
    for mapper in Base.registry.mappers:
        name = mapper.class_.__tablename__.replace("_", "-")
        if issubclass(mapper.class_, Owned) and name in lists and lists[name].path == f"/api/v1/{name}":
            known = {each["name"] for each in lists[name].parameters}
            assert "owner_id" in known, name


def test_every_foreign_key_has_an_index_to_delete_by() -> None:
    rights = {
        each.class_.__tablename__: getattr(each.class_, "__rights__", "delete")
        for each in Base.registry.mappers
    }
    kept = KEPT_FOR_EVER | {name for name, said in rights.items() if "delete" not in said}
    for table in Base.metadata.tables.values():
        leading = {next(iter(index.columns)).name for index in table.indexes if len(index.columns)}
        leading |= {
            next(iter(each.columns)).name for each in table.constraints if isinstance(each, UniqueConstraint)
        }
        leading |= {next(iter(table.primary_key.columns)).name} if len(table.primary_key.columns) else set()
        for key in table.foreign_key_constraints:
            if key.referred_table.name not in kept:
                assert key.column_keys[0] in leading, f"{table.name}.{key.column_keys[0]}"


#: Tables whose rows are never deleted, so that nobody looks for what refers to them.
KEPT_FOR_EVER = {"users", "roles", "number_series", "tenant_profile"}


def test_every_job_says_its_purpose() -> None:
    assert crm.app.BLUEPRINTS
    assert works()
    assert all(isinstance(each.purpose, Purpose) for each in works().values())


def test_no_purpose_is_marketing_for_others() -> None:
    words = {each.value for each in Purpose}
    assert not {word for word in words if "market" in word or "advert" in word or "sale_of" in word}


@pytest.mark.parametrize("resource", resources().values(), ids=resources().keys())
def test_no_resource_shows_a_credential_or_filters_by_a_sealed_field(resource: Resource) -> None:
    for name, each in resource.plain():
        attribute: Any = resource.mapper.columns.get(each.attribute or name)
        if attribute is not None:
            assert attribute.info["data"] is not DataClass.CREDENTIAL, name
    assert not [name for name in resource.filterable if resource.sealed(name)]
    assert resource.permission == f"{resource_of(resource.model)}:read"


def test_every_record_says_where_it_came_from() -> None:
    for mapper in Base.registry.mappers:
        if issubclass(mapper.class_, Record):
            assert not mapper.local_table.c.source.nullable
