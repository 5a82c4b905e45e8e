"""Invoices over REST: drafted, changed, issued, and then left as they are."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from tenants.isolation.door import db, inside
from tests.crm.billing.documents import drafted, euros, issued, line
from tests.workspace import Workspace


def test_a_draft_is_filled_issued_and_shows_what_it_comes_to(acme: Workspace, neighbour: Workspace) -> None:
    company = acme.admin.post("/companies", {"name": "Initech", "city": "Austin", "vat_number": "EU1"}).json
    draft = acme.admin.post("/invoices", {"company_id": company["id"], "lines": [line()]}).json
    assert (draft["status"], draft["number"], draft["currency"]) == ("draft", None, "EUR")
    assert draft["outstanding"] == euros("0.00")
    path = f"/invoices/{draft['id']}"
    answer = acme.admin.put(f"{path}/issuance").json
    assert (answer["status"], answer["number"][:4]) == ("issued", "INV-")
    billed = [answer[f"billing_{name}"] for name in ("name", "city", "vat_number")]
    assert billed == ["Initech", "Austin", "EU1"]
    assert answer["gross"] == answer["outstanding"] == euros("119.00")
    whole = {"tax_rate": "19.00", "tax_label": "", "net": euros("100.00"), "tax": euros("19.00")}
    assert answer["taxes"] == [whole]
    today = datetime.now(UTC).date()
    assert answer["issued_on"] == str(today)
    assert answer["due_on"] == str(today + timedelta(days=30))
    acme.admin.patch(f"/companies/{company['id']}", {"name": "Initrode"})
    read = acme.admin.get(f"{path}?include=issuance,company").json
    assert (read["billing_name"], read["company"]["name"]) == ("Initech", "Initrode")
    assert read["issuance"]["issued_by_id"] == str(acme.admin.user_id)
    assert read["lines"][0] | {"id": None} == {
        "id": None,
        "position": 1,
        "product_id": None,
        "description": "Work",
        "quantity": "2.000",
        "unit_price": euros("50.00"),
        "discount_percent": "0.00",
        "tax_rate": "19.00",
        "tax_label": "",
        "net": euros("100.00"),
    }
    for refused in (
        neighbour.admin.get(path),
        neighbour.admin.put(f"{path}/issuance"),
        neighbour.admin.patch(path, {"notes": "x"}),
        neighbour.admin.delete(path),
    ):
        assert (refused.status_code, refused.json["code"]) == (404, "not_found")


def test_what_was_issued_stays_as_it_is(acme: Workspace, neighbour: Workspace) -> None:
    invoice = issued(acme.admin)
    path = f"/invoices/{invoice['id']}"
    for answer in (
        acme.admin.patch(path, {"notes": "Changed"}),
        acme.admin.patch(path, {"lines": []}),
        acme.admin.patch(path, {"billing_name": "Other"}),
        acme.admin.delete(path),
        acme.admin.put(f"{path}/issuance"),
    ):
        assert (answer.status_code, answer.json["code"]) == (409, "issued")
    handed_over = acme.admin.patch(path, {"owner_id": str(acme.sales.user_id)})
    assert (handed_over.status_code, handed_over.json["owner_id"]) == (200, str(acme.sales.user_id))
    assert acme.admin.get(path).json["lines"] == invoice["lines"]
    assert neighbour.admin.patch(path, {"owner_id": None}).status_code == 404


@pytest.mark.parametrize(
    ("statement", "refusal"),
    [
        (
            "update invoices set gross_amount = 1, net_amount = 1, tax_amount = 0 where id = :id",
            IntegrityError,
        ),
        ("update invoices set number = 'INV-X' where id = :id", IntegrityError),
        ("update invoices set number = null, issued_on = null where id = :id", IntegrityError),
        ("update invoices set currency = 'USD' where id = :id", IntegrityError),
        ("update invoices set paid_amount = 200 where id = :id", IntegrityError),
        ("delete from invoices where id = :id", IntegrityError),
        ("update invoice_lines set quantity = 1 where invoice_id = :id", ProgrammingError),
        ("delete from issuances where invoice_id = :id", ProgrammingError),
        ("update issuances set number = 'X' where invoice_id = :id", ProgrammingError),
        ("update payments set amount = 1 where invoice_id = :id", ProgrammingError),
        ("delete from payments where invoice_id = :id", ProgrammingError),
        ("update credit_notes set gross_amount = 1 where invoice_id = :id", ProgrammingError),
        ("delete from credit_note_lines", ProgrammingError),
        ("delete from number_series", ProgrammingError),
    ],
)
def test_the_database_itself_holds_a_document_still(
    acme: Workspace, neighbour: Workspace, statement: str, refusal: type[Exception]
) -> None:
    for tenant in (acme, neighbour):
        invoice = issued(tenant.admin)
        with pytest.raises(refusal, match=r"violates|permission denied"), inside(tenant.home):
            db().execute(text(statement), {"id": invoice["id"]})


def test_an_invoice_bills_somebody(acme: Workspace, neighbour: Workspace) -> None:
    contact = acme.admin.post(
        "/contacts", {"first_name": "Ada", "last_name": "Byron", "city": "London"}
    ).json["id"]
    nobody = drafted(acme.admin, billing_name=None)
    refused = acme.admin.put(f"/invoices/{nobody['id']}/issuance")
    assert (refused.status_code, refused.json["code"]) == (409, "nobody_billed")
    billed = issued(acme.admin, billing_name=None, contact_id=contact)
    assert (billed["billing_name"], billed["billing_city"]) == ("Ada Byron", "London")
    assert neighbour.admin.post("/invoices", {"contact_id": contact, "lines": [line()]}).status_code == 422


def test_dates_of_an_invoice_are_in_order(acme: Workspace, neighbour: Workspace) -> None:
    draft = drafted(acme.admin)
    path = f"/invoices/{draft['id']}/issuance"
    backwards = acme.admin.put(path, {"issued_on": "2026-03-02", "due_on": "2026-03-01"})
    assert (backwards.status_code, backwards.json["code"]) == (409, "due_too_early")
    answer = acme.admin.put(path, {"issued_on": "2026-03-01"}).json
    assert (answer["issued_on"], answer["due_on"], answer["status"]) == (
        "2026-03-01",
        "2026-03-31",
        "overdue",
    )
    assert neighbour.admin.put(path, {"issued_on": "2026-03-01"}).status_code == 404


def test_a_list_is_filtered_by_what_people_ask(
    new_workspace: Callable[[], Workspace], neighbour: Workspace
) -> None:
    here = new_workspace()
    company = here.admin.post("/companies", {"name": "Initech"}).json["id"]
    draft = drafted(here.admin)
    late = issued(here.admin, dates={"issued_on": "2026-01-01"}, company_id=company)
    fresh = issued(here.admin, line("10.00"), billing_name="Globex")
    issued(neighbour.admin, dates={"issued_on": "2026-01-01"})

    def found(query: str) -> list[str]:
        answer = here.admin.get(f"/invoices?{query}")
        assert answer.status_code == 200, answer.json
        return [each["id"] for each in answer.json["data"]]

    assert found("status=draft") == [draft["id"]]
    assert found("status=overdue") == [late["id"]]
    assert found("status[in]=issued,paid") == [fresh["id"]]
    assert found(f"number={fresh['number']}") == [fresh["id"]]
    assert found(f"company_id={company}") == [late["id"]]
    assert found("issued_on[lt]=2026-02-01") == [late["id"]]
    assert found("outstanding[gt]=100") == [late["id"]]
    assert found("q=globex") == [fresh["id"]]
    assert found("sort=-gross,number")[:2] == [late["id"], draft["id"]]
    lists = here.admin.get("/invoices?include=lines&status=overdue").json["data"]
    assert [len(each["lines"]) for each in lists] == [1]
    assert "lines" not in here.admin.get("/invoices").json["data"][0]


def test_who_may_draft_and_who_may_issue(acme: Workspace, neighbour: Workspace) -> None:
    mine = drafted(acme.sales)
    path = f"/invoices/{mine['id']}"
    assert acme.sales.patch(path, {"reference": "PO 1"}).status_code == 200
    assert acme.sales.put(f"{path}/issuance").status_code == 403
    assert acme.sales.delete(path).status_code == 403
    assert acme.sales_elsewhere.get(path).status_code == 404
    assert acme.read_only.get(path).status_code == 200
    assert acme.read_only.patch(path, {"reference": "PO 2"}).status_code == 403
    theirs = drafted(acme.manager)
    assert acme.sales.get(f"/invoices/{theirs['id']}").status_code == 200
    assert acme.sales.patch(f"/invoices/{theirs['id']}", {"reference": "PO 3"}).status_code == 403
    assert acme.manager.put(f"{path}/issuance").status_code == 200
    elsewhere = drafted(acme.sales_elsewhere)
    assert acme.manager.put(f"/invoices/{elsewhere['id']}/issuance").status_code == 403
    assert neighbour.manager.put(f"{path}/issuance").status_code == 404


def test_what_happened_to_an_invoice_is_on_record(acme: Workspace, neighbour: Workspace) -> None:
    invoice = issued(acme.manager)
    answer = acme.admin.get(f"/audit-events?record_id={invoice['id']}&sort=at")
    assert answer.status_code == 200, answer.json
    actions = [each["action"] for each in answer.json["data"]]
    assert actions[0] == "invoices.created"
    changes = [each["changes"] for each in answer.json["data"]]
    assert {"number": [None, invoice["number"]]}.items() <= changes[-1].items()
    assert neighbour.admin.get(f"/audit-events?record_id={invoice['id']}").json["data"] == []


def test_days_that_no_document_can_have_are_refused(acme: Workspace, neighbour: Workspace) -> None:
    for tenant in (acme, neighbour):
        path = f"/invoices/{drafted(tenant.admin)['id']}"
        for day in ("9999-12-31", "0001-01-01", "2026-02-30"):
            assert tenant.admin.patch(path, {"due_on": day}).json["errors"].keys() == {"due_on"}
            assert tenant.admin.put(f"{path}/issuance", {"issued_on": day}).json["errors"].keys() == {
                "issued_on"
            }


def test_pages_follow_each_other_in_the_order_of_what_is_worked_out(
    new_workspace: Callable[[], Workspace], neighbour: Workspace
) -> None:
    here = new_workspace()
    made = [drafted(here.admin)["id"], issued(here.admin)["id"], issued(here.admin, line("1.00"))["id"]]
    issued(neighbour.admin)
    for sort in ("status", "-status", "outstanding", "-outstanding,number", "number"):
        seen, cursor = [], ""
        while len(seen) <= len(made):
            page = here.admin.get(f"/invoices?limit=1&sort={sort}{cursor}").json
            seen += [each["id"] for each in page["data"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert sorted(seen) == sorted(made), sort


def test_a_deal_or_product_on_an_invoice_stays(acme: Workspace, neighbour: Workspace) -> None:
    product = acme.admin.post("/products", {"name": f"Rope {uuid4()}", "price": euros("3.00")}).json["id"]
    deal = acme.admin.post("/deals", {"name": "Ropes"}).json["id"]
    invoice = issued(acme.admin, line(product_id=product), deal_id=deal)
    assert acme.admin.get(f"/invoices/{invoice['id']}?include=deal").json["deal"] == {
        "id": deal,
        "name": "Ropes",
    }
    for path in (f"/deals/{deal}", f"/products/{product}"):
        refused = acme.admin.delete(path)
        assert (refused.status_code, refused.json["code"]) == (409, "still_referenced")
    assert neighbour.admin.post("/invoices", {"currency": "EUR", "deal_id": deal}).status_code == 422
