"""Credit notes: what was invoiced is taken back, once, and to the cent."""

from decimal import Decimal
from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.crm.billing.documents import drafted, euros, issued, line, paid
from tests.workspace import Workspace


def test_a_credit_note_takes_a_whole_invoice_back(acme: Workspace, neighbour: Workspace) -> None:
    invoice = issued(acme.admin, line(), line("10.00", "1", "7"))
    made = acme.admin.post("/credit-notes", {"invoice_id": invoice["id"], "reason": "Wrong customer"})
    assert made.status_code == 201, made.json
    note = made.json
    assert (note["number"][:3], note["billing_name"], note["gross"]) == ("CN-", "Initech", invoice["gross"])
    assert note["taxes"] == invoice["taxes"]
    assert [each["invoice_line_id"] for each in note["lines"]] == [each["id"] for each in invoice["lines"]]
    read = acme.admin.get(f"/invoices/{invoice['id']}").json
    assert (read["status"], read["credited"], read["outstanding"]) == (
        "credited",
        invoice["gross"],
        euros("0.00"),
    )
    again = acme.admin.post("/credit-notes", {"invoice_id": invoice["id"]})
    assert (again.status_code, again.json["code"]) == (409, "credited")
    path = f"/credit-notes/{note['id']}"
    assert acme.admin.get(f"{path}?include=invoice").json["invoice"]["number"] == invoice["number"]
    assert acme.admin.patch(path, {"reason": "Other"}).status_code == 405
    assert acme.admin.delete(path).status_code == 405
    assert neighbour.admin.get(path).status_code == 404
    answers = [
        neighbour.admin.post("/credit-notes", {"invoice_id": each}) for each in (invoice["id"], str(uuid4()))
    ]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert answers[0].json["errors"] == answers[1].json["errors"]


def test_chosen_lines_and_quantities_are_taken_back_and_no_more(
    acme: Workspace, neighbour: Workspace
) -> None:
    invoice = issued(acme.admin, line("10.00", "5", "0"), line("1.00", "1", "0"))
    first, second = (each["id"] for each in invoice["lines"])
    theirs = issued(neighbour.admin)["lines"][0]["id"]

    def credit(*lines: dict[str, str]) -> tuple[int, object]:
        answer = acme.admin.post("/credit-notes", {"invoice_id": invoice["id"], "lines": list(lines)})
        return answer.status_code, answer.json.get("net") or answer.json.get("errors") or answer.json["code"]

    assert credit({"invoice_line_id": first, "quantity": "2"}) == (201, euros("20.00"))
    assert credit({"invoice_line_id": first, "quantity": "3.001"}) == (409, "credited")
    assert credit({"invoice_line_id": first}, {"invoice_line_id": second}) == (201, euros("31.00"))
    assert credit({"invoice_line_id": second}) == (409, "credited")
    unknown = {"lines.0.invoice_line_id": ["There is no such line on this invoice."]}
    assert credit({"invoice_line_id": theirs}) == credit({"invoice_line_id": str(uuid4())}) == (422, unknown)
    twice = credit({"invoice_line_id": second}, {"invoice_line_id": second})
    assert twice == (422, {"lines.1.invoice_line_id": ["Named twice."]})


def test_what_is_paid_is_not_credited_before_it_is_paid_back(acme: Workspace, neighbour: Workspace) -> None:
    invoice = issued(acme.admin)
    payment = paid(acme.admin, invoice, "119.00")
    refused = acme.admin.post("/credit-notes", {"invoice_id": invoice["id"]})
    assert (refused.status_code, refused.json["code"]) == (409, "already_paid")
    assert acme.admin.put(f"/payments/{payment['id']}/reversal").status_code == 200
    assert acme.admin.post("/credit-notes", {"invoice_id": invoice["id"]}).status_code == 201
    draft = drafted(acme.admin)
    assert acme.admin.post("/credit-notes", {"invoice_id": draft["id"]}).json["code"] == "not_issued"
    assert neighbour.admin.post("/credit-notes", {"invoice_id": invoice["id"]}).status_code == 422


def test_crediting_takes_its_own_permission(acme: Workspace, neighbour: Workspace) -> None:
    invoice = issued(acme.admin, owner_id=str(acme.sales.user_id), team_id=str(acme.sales.team_id))
    body = {"invoice_id": invoice["id"]}
    assert acme.sales.post("/credit-notes", body).status_code == 403
    assert acme.read_only.post("/credit-notes", body).status_code == 403
    note = acme.manager.post("/credit-notes", body).json
    assert (note["owner_id"], note["team_id"]) == (str(acme.sales.user_id), str(acme.sales.team_id))
    assert acme.sales.get(f"/credit-notes/{note['id']}").status_code == 200
    assert acme.sales_elsewhere.get(f"/credit-notes/{note['id']}").status_code == 404
    elsewhere = issued(acme.admin, team_id=str(acme.sales_elsewhere.team_id))
    assert acme.manager.post("/credit-notes", {"invoice_id": elsewhere["id"]}).status_code == 403
    assert neighbour.manager.post("/credit-notes", body).status_code == 422


PIECES = st.lists(st.tuples(st.integers(0, 1), st.decimals("0.001", "2", places=3)), max_size=6)


@settings(max_examples=10, deadline=None)
@given(
    pieces=PIECES, price=st.decimals("0.01", "99.99", places=2), rate=st.sampled_from(["0", "7", "19", "8.1"])
)
def test_credited_piece_by_piece_it_comes_to_the_invoice_to_the_cent(
    acme: Workspace, neighbour: Workspace, pieces: list[tuple[int, Decimal]], price: Decimal, rate: str
) -> None:
    invoice = issued(
        acme.admin, line(f"{price}", "3", rate, discount_percent="12.5"), line("0.33", "3", rate)
    )
    notes = []
    for number, quantity in pieces:
        chosen = {"invoice_line_id": invoice["lines"][number]["id"], "quantity": f"{quantity}"}
        answer = acme.admin.post("/credit-notes", {"invoice_id": invoice["id"], "lines": [chosen]})
        assert answer.status_code in (201, 409), answer.json
        notes += [answer.json] if answer.status_code == 201 else []
    last = acme.admin.post("/credit-notes", {"invoice_id": invoice["id"]})
    assert last.status_code == 201, last.json
    for name in ("net", "tax", "gross"):
        total = sum(Decimal(each[name]["amount"]) for each in [*notes, last.json])
        assert total == Decimal(invoice[name]["amount"])
    assert neighbour.admin.get(f"/credit-notes/{last.json['id']}").status_code == 404
