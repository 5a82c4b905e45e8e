"""Payments: never more than is owed, reversed and never deleted."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from uuid import uuid4

from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.crm.billing.documents import drafted, euros, issued, line, paid
from tests.workspace import Client, Workspace


def test_payments_settle_an_invoice(acme: Workspace, neighbour: Workspace) -> None:
    invoice = issued(acme.admin)
    path = f"/invoices/{invoice['id']}"
    first = paid(acme.admin, invoice, "19.00", paid_on="2026-04-01", method="card", reference="T-1")
    assert (first["method"], first["paid_on"], first["reversal"]) == ("card", "2026-04-01", None)
    partly = acme.admin.get(path).json
    assert (partly["status"], partly["paid"], partly["outstanding"]) == (
        "partly_paid",
        euros("19.00"),
        euros("100.00"),
    )
    paid(acme.admin, invoice, "100.00")
    settled = acme.admin.get(path).json
    assert (settled["status"], settled["outstanding"]) == ("paid", euros("0.00"))
    listed = acme.admin.get(f"/payments?invoice_id={invoice['id']}&include=invoice&sort=paid_on").json["data"]
    assert [each["amount"] for each in listed] == [euros("19.00"), euros("100.00")]
    assert listed[0]["invoice"]["number"] == invoice["number"]
    assert neighbour.admin.get(f"/payments/{first['id']}").status_code == 404
    assert neighbour.admin.get(f"/payments?invoice_id={invoice['id']}").json["data"] == []


def test_more_than_is_owed_is_refused_with_a_sentence(acme: Workspace, neighbour: Workspace) -> None:
    invoice = issued(acme.admin)
    refused = acme.admin.post("/payments", {"invoice_id": invoice["id"], "amount": euros("119.01")})
    assert (refused.status_code, refused.json["code"]) == (409, "overpaid")
    assert refused.json["detail"] == "119.01 EUR is more than the 119.00 EUR that is still owed."
    dollars = {"amount": "1.00", "currency": "USD"}
    assert (
        acme.admin.post("/payments", {"invoice_id": invoice["id"], "amount": dollars}).json["code"]
        == "other_currency"
    )
    draft = drafted(acme.admin)
    early = acme.admin.post("/payments", {"invoice_id": draft["id"], "amount": euros("1.00")})
    assert (early.status_code, early.json["code"]) == (409, "not_issued")
    for nothing in ("0.00", "-1.00"):
        assert (
            acme.admin.post("/payments", {"invoice_id": invoice["id"], "amount": euros(nothing)}).status_code
            == 422
        )
    theirs = neighbour.admin.post("/payments", {"invoice_id": invoice["id"], "amount": euros("1.00")})
    never = neighbour.admin.post("/payments", {"invoice_id": str(uuid4()), "amount": euros("1.00")})
    assert theirs.status_code == never.status_code == 422
    assert theirs.json["errors"] == never.json["errors"]


def test_a_reversed_payment_is_owed_again_and_stays_on_record(acme: Workspace, neighbour: Workspace) -> None:
    invoice = issued(acme.admin)
    payment = paid(acme.admin, invoice, "119.00", paid_on="2026-04-01")
    path = f"/payments/{payment['id']}"
    too_early = acme.admin.put(f"{path}/reversal", {"reversed_on": "2026-03-31"})
    assert too_early.json["code"] == "reversed_too_early"
    answer = acme.admin.put(f"{path}/reversal", {"reversed_on": "2026-04-05", "reason": "Bounced"})
    assert answer.status_code == 200, answer.json
    assert answer.json["reversal"] == {"reversed_on": "2026-04-05", "reason": "Bounced"}
    assert answer.json["version"] > payment["version"]
    again = acme.admin.put(f"{path}/reversal")
    assert (again.status_code, again.json["code"]) == (409, "reversed")
    owed = acme.admin.get(f"/invoices/{invoice['id']}").json
    assert (owed["outstanding"], owed["status"]) == (euros("119.00"), "issued")
    assert acme.admin.delete(path).status_code == 405
    assert neighbour.admin.put(f"{path}/reversal").status_code == 404


def test_an_answer_about_an_invoice_is_never_older_than_its_payments(
    acme: Workspace, neighbour: Workspace
) -> None:
    invoice = issued(acme.admin)
    path = f"/invoices/{invoice['id']}"
    tag = acme.admin.get(path).headers["ETag"]
    paid(acme.admin, invoice, "119.00")
    fresh = acme.admin.get(path, headers={"If-None-Match": tag})
    assert (fresh.status_code, fresh.json["status"]) == (200, "paid")
    assert fresh.headers["ETag"] != tag
    assert neighbour.admin.get(path, headers={"If-None-Match": tag}).status_code == 404


def test_whoever_sees_the_invoice_sees_its_payments(acme: Workspace, neighbour: Workspace) -> None:
    invoice = issued(acme.admin, owner_id=str(acme.sales.user_id), team_id=str(acme.sales.team_id))
    payment = paid(acme.manager, invoice, "19.00")
    path = f"/payments/{payment['id']}"
    assert acme.sales.get(path).status_code == 200
    assert (
        acme.sales.post("/payments", {"invoice_id": invoice["id"], "amount": euros("1.00")}).status_code
        == 403
    )
    assert acme.sales.put(f"{path}/reversal").status_code == 403
    assert acme.sales_elsewhere.get(path).status_code == 404
    elsewhere = acme.sales_elsewhere
    moved = {"owner_id": str(elsewhere.user_id), "team_id": str(elsewhere.team_id)}
    assert acme.admin.patch(f"/invoices/{invoice['id']}", moved).status_code == 200
    assert acme.sales.get(path).status_code == 404
    assert elsewhere.get(path).status_code == 200
    other_team = acme.manager.post("/payments", {"invoice_id": invoice["id"], "amount": euros("1.00")})
    assert other_team.status_code == 403
    assert neighbour.admin.get(path).status_code == 404


def test_parallel_payments_never_take_more_than_is_owed(
    app: Flask, acme: Workspace, neighbour: Workspace
) -> None:
    invoice = issued(acme.admin, line("100.00", "1", "0"))

    def attempt(_: int) -> int:
        mine = Client(app.test_client(), acme.admin.key, acme.admin.user_id)
        return mine.post("/payments", {"invoice_id": invoice["id"], "amount": euros("30.00")}).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(attempt, range(8)))
    assert statuses == [201] * 3 + [409] * 5
    left = acme.admin.get(f"/invoices/{invoice['id']}").json
    assert (left["paid"], left["outstanding"]) == (euros("90.00"), euros("10.00"))
    assert neighbour.admin.get(f"/invoices/{invoice['id']}").status_code == 404


Step = tuple[str, int]
STEPS = st.lists(st.tuples(st.sampled_from(["pay", "reverse", "credit"]), st.integers(1, 6000)), max_size=8)


@settings(max_examples=10, deadline=None)
@given(steps=STEPS)
def test_whatever_is_paid_reversed_and_credited_the_sum_is_right(
    acme: Workspace, neighbour: Workspace, steps: list[Step]
) -> None:
    invoice = issued(acme.admin, line("33.33", "3", "19"), line("0.01", "7", "7"))
    made: list[dict[str, object]] = []
    for step, cents in steps:
        if step == "pay":
            body = {"invoice_id": invoice["id"], "amount": euros(f"{Decimal(cents) / 100:.2f}")}
            answer = acme.admin.post("/payments", body)
            made += [answer.json] if answer.status_code == 201 else []
        elif step == "reverse" and made:
            answer = acme.admin.put(f"/payments/{made.pop(cents % len(made))['id']}/reversal")
        else:
            chosen = {"invoice_line_id": invoice["lines"][cents % 2]["id"], "quantity": "1"}
            answer = acme.admin.post("/credit-notes", {"invoice_id": invoice["id"], "lines": [chosen]})
        assert answer.status_code in (200, 201, 409), answer.json
        owed = acme.admin.get(f"/invoices/{invoice['id']}").json
        notes = acme.admin.get(f"/credit-notes?invoice_id={invoice['id']}").json["data"]
        payments = acme.admin.get(f"/payments?invoice_id={invoice['id']}").json["data"]
        settled = [each["gross"]["amount"] for each in notes]
        settled += [each["amount"]["amount"] for each in payments if each["reversal"] is None]
        left = Decimal(owed["gross"]["amount"]) - sum(map(Decimal, settled))
        assert Decimal(owed["outstanding"]["amount"]) == left
        assert left >= 0
    assert neighbour.admin.get(f"/invoices/{invoice['id']}").status_code == 404


def test_nobody_settles_an_invoice_that_they_read_and_may_not_touch(
    acme: Workspace, neighbour: Workspace
) -> None:
    invoice = issued(acme.admin)  # of no team: a manager reads it, and settles those of their team
    assert acme.manager.get(f"/invoices/{invoice['id']}").status_code == 200
    payment = acme.manager.post("/payments", {"invoice_id": invoice["id"], "amount": euros("1.00")})
    note = acme.manager.post("/credit-notes", {"invoice_id": invoice["id"]})
    assert [(each.status_code, each.json["code"]) for each in (payment, note)] == [(403, "not_allowed")] * 2
    assert acme.admin.get(f"/invoices/{invoice['id']}").json["outstanding"] == invoice["outstanding"]
    theirs = neighbour.manager.post("/payments", {"invoice_id": invoice["id"], "amount": euros("1.00")})
    assert theirs.status_code == 422
