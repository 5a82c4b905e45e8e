"""Requests that nobody thought of, made from the document, as every role: no answer is unforeseen."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import schemathesis
from flask import Flask

from tenants.catalog.registry import Home
from tenants.isolation.door import inside
from tests.asking import Examples
from tests.fuzzing import MANY, SOME, send
from tests.operations import Document, Operation
from tests.workspace import Client, Workspace, signed_in

#: Refused for the time being: nobody answers at the address of the example's provider.
AWAY = {"/api/v1/single-sign-on/{provider}": 503}
#: What makes tenants and sessions is asked for by strangers; where there is no spare, a sign-up is put off.
FOR_STRANGERS = ("/api/v1/signup", "/api/v1/sessions")
#: Besides them, what puts the tenant away.
LEFT_OUT = (*FOR_STRANGERS, "/api/v1/archives", "/api/v1/closing")


@pytest.fixture(scope="session")
def described(app: Flask) -> Any:
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)


def _operations(described: Any) -> Iterator[Any]:
    for found in described.get_all_operations():
        operation = found.ok()
        if operation.path not in LEFT_OUT:
            yield operation


def _ask(operation: Any, ids: dict[str, str], client: Client, home: Home, many: int) -> None:
    """So many requests; those about a record are about one that is there.

    What only people may, a person does, with a session of their own: it may end by what they do.
    """
    if operation.definition.raw.get("x-people-only"):
        with inside(home):
            client = replace(client, key="", session=signed_in(home, client.user_id))
    send(operation, client.headers, ids, many, away=AWAY.get(operation.path))


def _as(described: Any, workspace: Workspace, document: Document, name: str, many: int) -> Iterator[Any]:
    """Each operation with what asks it; the records are made before anybody disturbs them."""
    examples = Examples(document, workspace)
    operations = list(_operations(described))
    ids = [examples.ids(_known(document, each)) for each in operations]
    for operation, own in zip(operations, ids, strict=True):
        yield (
            operation.label,
            functools.partial(_ask, operation, own, workspace.clients[name], workspace.home, many),
        )


def _known(document: Document, operation: Any) -> Operation:
    known = document.find(operation.method, operation.path)
    assert known is not None
    return known


@pytest.mark.soak
def test_what_strangers_send_gets_an_answer_that_the_document_foresees(
    described: Any, neighbour: Workspace, subtests: pytest.Subtests
) -> None:
    for found in described.get_all_operations():
        operation = found.ok()
        if operation.path in FOR_STRANGERS and operation.method.upper() == "POST":
            with subtests.test(operation=operation.label):
                send(operation, {}, {}, MANY, away=503)
    assert neighbour.admin.get("/contacts").status_code == 200


@pytest.mark.soak
def test_some_requests_that_nobody_thought_of(
    described: Any, document: Document, passing: Callable[[], Workspace], subtests: pytest.Subtests
) -> None:
    for label, ask in _as(described, passing(), document, "admin", SOME):
        with subtests.test(operation=label):
            ask()


@pytest.mark.soak
@pytest.mark.parametrize("name", ["admin", "manager", "sales", "read-only", "sales-elsewhere"])
def test_many_requests_that_nobody_thought_of(
    described: Any,
    document: Document,
    passing: Callable[[], Workspace],
    subtests: pytest.Subtests,
    name: str,
) -> None:
    for label, ask in _as(described, passing(), document, name, MANY):
        with subtests.test(operation=label):
            ask()
