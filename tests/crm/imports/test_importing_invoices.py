"""Invoices from another program: documents keep their numbers, drafts go on here, nothing meets our own numbers."""

from tests.crm.billing.documents import euros, issued, paid
from tests.uploads import upload
from tests.workspace import Workspace

ROWS = (
    "Number,Issued on,Due on,Company,Net,Tax,Currency,Reference\n"
    "R-17,2026-01-02,,Initech,100.00,19.00,EUR,Old work\n"
    ",,,Initech,50.00,,EUR,\n"
    "R-18,,,Initech,1.00,,EUR,\n"
    "INV-000009,2026-01-02,,Initech,1.00,,EUR,\n"
    "R-19,2026-01-02,2026-01-01,Initech,1.00,,EUR,\n"
    "R-20,2026-01-02,,,1.00,,EUR,\n"
    "R-21,2026-01-02,,Initech,-1.00,,EUR,\n"
    "R-22,2026-01-02,,Initech,1.00,2.00,EUR,\n"
)
MAPPING = {
    "Number": "number",
    "Issued on": "issued_on",
    "Due on": "due_on",
    "Company": "company.name",
    "Net": "net",
    "Tax": "tax",
    "Currency": "currency",
    "Reference": "reference",
}


def test_invoices_come_in_as_documents_and_drafts(new_workspace, neighbour: Workspace, run_jobs) -> None:
    ours = new_workspace()
    ours.admin.post("/companies", {"name": "Initech"})
    path = upload(ours.admin, ROWS, "invoices", mapping=MAPPING).headers["Location"]
    run_jobs()
    done = ours.admin.get(path).json
    assert done["counts"] == {"rows": 8, "created": 2, "updated": 0, "skipped": 0, "rejected": 6}, done
    reasons = ours.admin.get(f"{path}/rejected-rows").get_data(as_text=True)
    for sentence in (
        "An issued invoice has a number and a day; a draft has neither.",
        "Numbers like this one are given out here.",
        "An invoice can't be due before it is issued.",
        "An issued invoice says whom it bills",
        "The tax is more than the net amount.",
    ):
        assert sentence in reasons
    rows = {each["number"]: each for each in ours.admin.get("/invoices?include=lines,issuance").json["data"]}
    old, draft = rows["R-17"], rows[None]
    assert (old["status"], old["billing_name"], old["due_on"]) == ("overdue", "Initech", "2026-02-01")
    assert (old["gross"], old["outstanding"], old["source"]) == (euros("119.00"), euros("119.00"), "import")
    assert old["taxes"] == [
        {"tax_rate": "19.00", "tax_label": "", "net": euros("100.00"), "tax": euros("19.00")}
    ]
    assert (old["lines"][0]["description"], old["lines"][0]["net"]) == ("Old work", euros("100.00"))
    assert old["issuance"]["issued_by_id"] == str(ours.admin.user_id)
    assert ours.admin.patch(f"/invoices/{old['id']}", {"notes": "x"}).json["code"] == "issued"
    paid(ours.admin, old, "119.00")
    assert (draft["status"], draft["gross"]) == ("draft", euros("50.00"))
    assert ours.admin.put(f"/invoices/{draft['id']}/issuance").json["number"] == "INV-000001"
    assert neighbour.admin.get(path).status_code == 404


def test_our_own_numbers_never_meet_those_from_elsewhere(
    new_workspace, neighbour: Workspace, run_jobs
) -> None:
    ours = new_workspace()
    text = "Number,Issued on,Name,Net,Currency\nA-000002,2026-01-02,Initech,1.00,EUR\n"
    columns = ("number", "issued_on", "billing_name", "net", "currency")
    mapping = dict(zip(("Number", "Issued on", "Name", "Net", "Currency"), columns, strict=True))
    upload(ours.admin, text, "invoices", mapping=mapping)
    run_jobs()
    (series,) = ours.admin.get("/number-series?name=invoices").json["data"]
    refused = ours.admin.patch(f"/number-series/{series['id']}", {"prefix": "A-"})
    assert (refused.status_code, refused.json["code"]) == (409, "prefix_taken")
    assert ours.admin.patch(f"/number-series/{series['id']}", {"prefix": "B-"}).status_code == 200
    assert issued(ours.admin)["number"] == "B-000001"
    assert ours.admin.patch(f"/number-series/{series['id']}", {"prefix": "INV-"}).status_code == 200
    assert ours.admin.patch(f"/number-series/{series['id']}", {"prefix": "B-"}).status_code == 200
    assert neighbour.admin.patch(f"/number-series/{series['id']}", {"prefix": "A-"}).status_code == 404


def test_an_import_changes_who_looks_after_a_document_and_nothing_else(
    new_workspace, neighbour: Workspace, run_jobs
) -> None:
    ours = new_workspace()
    first, second = issued(ours.admin), issued(ours.admin)
    text = f"Number,Owner,Notes\n{first['number']},Sales,\n{second['number']},Sales,New words\n"
    mapping = {"Number": "number", "Owner": "owner.name", "Notes": "notes"}
    path = upload(ours.admin, text, "invoices", mapping=mapping, mode="update", match_on="number").headers[
        "Location"
    ]
    run_jobs()
    counts = ours.admin.get(path).json["counts"]
    assert (counts["updated"], counts["rejected"]) == (1, 1)
    reasons = ours.admin.get(f"{path}/rejected-rows").get_data(as_text=True)
    assert "This invoice has been issued and stays as it is." in reasons
    assert ours.admin.get(f"/invoices/{first['id']}").json["owner_id"] == str(ours.sales.user_id)
    assert ours.admin.get(f"/invoices/{second['id']}").json == second
    assert neighbour.admin.get(path).status_code == 404
