"""Invoices as tests need them: drafted, issued."""

from typing import Any

from tests.workspace import Client

Json = dict[str, Any]


def euros(amount: str) -> Json:
    return {"amount": amount, "currency": "EUR"}


def line(price: str = "50.00", quantity: str = "2", rate: str = "19", **fields: Any) -> Json:
    return {
        "description": "Work",
        "quantity": quantity,
        "unit_price": euros(price),
        "tax_rate": rate,
        **fields,
    }


def drafted(client: Client, *lines: Json, **fields: Any) -> Json:
    made = client.post("/invoices", {"billing_name": "Initech", "lines": list(lines) or [line()], **fields})
    assert made.status_code == 201, made.json
    return made.json


def issued(client: Client, *lines: Json, dates: Json | None = None, **fields: Any) -> Json:
    """An invoice of 119.00 EUR unless its lines say otherwise."""
    draft = drafted(client, *lines, **fields)
    answer = client.put(f"/invoices/{draft['id']}/issuance", dates or {})
    assert answer.status_code == 200, answer.json
    return answer.json


def paid(client: Client, invoice: Json, amount: str, **fields: Any) -> Json:
    answer = client.post("/payments", {"invoice_id": invoice["id"], "amount": euros(amount), **fields})
    assert answer.status_code == 201, answer.json
    return answer.json
