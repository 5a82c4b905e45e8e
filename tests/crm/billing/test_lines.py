"""Lines of an invoice: replaced as a list, of one currency, refused by name when they are wrong."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from uuid import uuid4

import pytest
from flask import Flask

from tests.crm.billing.documents import drafted, euros, line
from tests.workspace import Client, Workspace


def test_lines_of_a_draft_are_replaced_as_a_list(acme: Workspace, neighbour: Workspace) -> None:
    draft = drafted(acme.admin, line(), line("10.00"))
    path = f"/invoices/{draft['id']}"
    changed = acme.admin.patch(path, {"lines": [line("10.00", "1.5", "7", discount_percent="50")]})
    assert changed.status_code == 200, changed.json
    assert [each["net"] for each in changed.json["lines"]] == [euros("7.50")]
    assert (changed.json["net"], changed.json["tax"], changed.json["gross"]) == (
        euros("7.50"),
        euros("0.53"),
        euros("8.03"),
    )
    assert changed.json["version"] > draft["version"]
    emptied = acme.admin.patch(path, {"lines": []}).json
    assert (emptied["lines"], emptied["gross"], emptied["taxes"]) == ([], euros("0.00"), [])
    refused = acme.admin.put(f"{path}/issuance")
    assert (refused.status_code, refused.json["code"]) == (409, "no_lines")
    incomplete = acme.admin.patch(path, {"lines": [{"description": "Half a line"}]})
    assert incomplete.status_code == 422
    assert incomplete.json["errors"].keys() == {"lines.0.tax_rate"}
    assert neighbour.admin.patch(path, {"lines": []}).status_code == 404


def test_a_new_wording_of_a_line_is_a_new_version_of_the_invoice(
    acme: Workspace, neighbour: Workspace
) -> None:
    draft = drafted(acme.admin)
    path = f"/invoices/{draft['id']}"
    first = acme.admin.get(path).headers["ETag"]
    reworded = acme.admin.patch(
        path, {"lines": [line(description="Other work")]}, headers={"If-Match": first}
    )
    assert reworded.status_code == 200
    stale = acme.admin.patch(path, {"lines": [line()]}, headers={"If-Match": first})
    assert stale.status_code == 412
    assert neighbour.admin.get(path).status_code == 404


def test_a_line_takes_name_and_price_from_its_product(acme: Workspace, neighbour: Workspace) -> None:
    product = acme.admin.post("/products", {"name": "Anvil", "price": euros("12.50")}).json["id"]
    theirs = neighbour.admin.post("/products", {"name": "Secret", "price": euros("1.00")}).json["id"]
    draft = drafted(acme.admin, {"product_id": product, "quantity": "4", "tax_rate": "0"}, currency="EUR")
    assert (draft["lines"][0]["description"], draft["lines"][0]["net"]) == ("Anvil", euros("50.00"))
    in_dollars = {"currency": "USD", "lines": [{"product_id": product, "tax_rate": "0"}]}
    assert acme.admin.post("/invoices", in_dollars).json["errors"].keys() == {"lines.0.unit_price"}
    answers = [
        acme.admin.post("/invoices", {"lines": [line(product_id=each)]}) for each in (theirs, str(uuid4()))
    ]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert (
        answers[0].json["errors"]
        == answers[1].json["errors"]
        == {"lines.0.product_id": ["There is no such record."]}
    )


def test_a_document_has_one_currency(acme: Workspace, neighbour: Workspace) -> None:
    dollars = line(unit_price={"amount": "5.00", "currency": "USD"})
    mixed = acme.admin.post("/invoices", {"lines": [line(), dollars]})
    assert mixed.json["errors"] == {"lines.1.unit_price.currency": ["The invoice is in EUR."]}
    assert acme.admin.post("/invoices", {"billing_name": "Nobody"}).json["errors"].keys() == {"currency"}
    draft = drafted(acme.admin)
    path = f"/invoices/{draft['id']}"
    assert acme.admin.patch(path, {"currency": "USD"}).json["code"] == "other_currency"
    changed = acme.admin.patch(path, {"lines": [dollars]}).json
    assert (changed["currency"], changed["gross"]["currency"]) == ("USD", "USD")
    assert neighbour.admin.get(path).status_code == 404


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"quantity": "0"}, "quantity"),
        ({"quantity": "1.0001"}, "quantity"),
        ({"quantity": 1.5}, "quantity"),
        ({"quantity": "1000000001"}, "quantity"),
        ({"quantity": "1e400"}, "quantity"),
        ({"quantity": "NaN"}, "quantity"),
        ({"tax_rate": "101"}, "tax_rate"),
        ({"tax_rate": "-1"}, "tax_rate"),
        ({"discount_percent": "100.01"}, "discount_percent"),
        ({"unit_price": euros("-1.00")}, "unit_price.amount"),
        ({"unit_price": euros("1.001")}, "unit_price.amount"),
        ({"net": euros("1.00")}, "net"),
    ],
)
def test_a_line_that_is_wrong_is_named(
    acme: Workspace, neighbour: Workspace, fields: dict[str, object], wrong: str
) -> None:
    for tenant in (acme, neighbour):
        answer = tenant.admin.post("/invoices", {"lines": [line(), line() | fields]})
        assert (answer.status_code, list(answer.json["errors"])) == (422, [f"lines.1.{wrong}"])


def test_a_sum_that_can_not_be_kept_is_refused(acme: Workspace, neighbour: Workspace) -> None:
    most = line("9999999999999999.99", "1", "0")
    for lines in ([line("9999999999999999.99", "1000000000")], [most, most], [most | {"tax_rate": "1"}]):
        for tenant in (acme, neighbour):
            assert tenant.admin.post("/invoices", {"lines": lines}).status_code == 422


def test_an_invoice_issued_while_it_is_changed_is_whole(
    app: Flask, acme: Workspace, neighbour: Workspace
) -> None:
    path = f"/invoices/{drafted(acme.admin)['id']}"

    def attempt(number: int) -> int:
        mine = Client(app.test_client(), acme.admin.key, acme.admin.user_id)
        if number == 5:
            return mine.put(f"{path}/issuance").status_code
        return mine.patch(path, {"lines": [line(f"{number}.00", "1", "0")] * (number + 1)}).status_code

    with ThreadPoolExecutor(10) as pool:
        statuses = list(pool.map(attempt, range(10)))
    assert statuses[5] == 200
    assert set(statuses) <= {200, 409}
    whole = acme.admin.get(path).json
    nets = [Decimal(each["net"]["amount"]) for each in whole["lines"]]
    assert sum(nets) == Decimal(whole["net"]["amount"])
    assert [each["position"] for each in whole["lines"]] == list(range(1, len(nets) + 1))
    assert neighbour.admin.get(path).status_code == 404
