"""Somebody looks for what of products is closed to them in the invoices that they write."""

from typing import Any
from uuid import uuid4

import pytest

from tests.tenants.identity.rights.people import somebody_who_may
from tests.workspace import Client, Workspace

WRITING = {f"invoices:{each}": "all" for each in ("read", "create", "edit")}
PRICE = {"amount": "4711.00", "currency": "EUR"}


@pytest.fixture
def product(acme: Workspace) -> dict[str, Any]:
    answer = acme.admin.post("/products", {"name": f"Secret {uuid4().hex}", "price": PRICE})
    assert answer.status_code == 201, answer.json
    return dict(answer.json)


def drafted(client: Client, product: dict[str, Any], **said: Any) -> Any:
    line = {"product_id": product["id"], "quantity": "1", "tax_rate": "0", **said}
    return client.post("/invoices", {"currency": "EUR", "lines": [line]})


def test_a_product_that_nobody_lets_one_see_is_on_no_line(
    acme: Workspace, neighbour: Workspace, product: dict[str, Any]
) -> None:
    blind = somebody_who_may(acme, WRITING)
    for client in (blind, neighbour.admin):
        refused = drafted(client, product)
        assert refused.status_code == 422, refused.json
        assert refused.json["errors"]["lines.0.product_id"] == ["There is no such record."]


@pytest.mark.parametrize(("field", "named"), [("price", "unit_price"), ("name", "description")])
def test_a_closed_field_of_a_product_comes_out_on_no_line(
    acme: Workspace, product: dict[str, Any], field: str, named: str
) -> None:
    rules = {"products": {field: "none"}}
    half = somebody_who_may(acme, {**WRITING, "products:read": "all"}, rules)
    assert field not in half.get(f"/products/{product['id']}").json

    refused = drafted(half, product)

    assert (refused.status_code, list(refused.json["errors"])) == (422, [f"lines.0.{named}"])
    said = {"unit_price": {"amount": "1.00", "currency": "EUR"}, "description": "As agreed"}
    made = drafted(half, product, **said)
    assert made.status_code == 201, made.json
    assert product["name"] not in str(made.json["lines"]) or field == "price"
