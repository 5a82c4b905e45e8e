"""Numbers of documents: one after the other, whoever issues them and whatever goes wrong."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.billing.numbering import Series, next_number
from tenants.access.caller import SYSTEM, act_as
from tenants.isolation.door import inside
from tests.crm.billing.documents import drafted, issued
from tests.workspace import Client, Workspace


def numbers(workspace: Workspace) -> list[str]:
    rows = workspace.admin.get("/invoices?limit=200&sort=number&number[is_null]=false").json["data"]
    return [row["number"] for row in rows]


def test_twenty_parallel_issuers_leave_no_gap_and_no_double(
    app: Flask, new_workspace: Callable[[], Workspace], neighbour: Workspace
) -> None:
    here = new_workspace()
    drafts = [drafted(here.admin)["id"] for _ in range(40)]
    next_door = [drafted(neighbour.admin)["id"] for _ in range(5)]

    def attempt(work: tuple[Workspace, str]) -> int:
        workspace, draft = work
        mine = Client(app.test_client(), workspace.admin.key, workspace.admin.user_id)
        return mine.put(f"/invoices/{draft}/issuance").status_code

    work = [(here, draft) for draft in drafts] + [(neighbour, draft) for draft in next_door]
    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(attempt, work))
    assert statuses == [200] * 45
    assert numbers(here) == [f"INV-{number:06d}" for number in range(1, 41)]


def test_one_draft_issued_twenty_times_at_once_is_one_document(
    app: Flask, new_workspace: Callable[[], Workspace], neighbour: Workspace
) -> None:
    here = new_workspace()
    draft = drafted(here.admin)["id"]

    def attempt(_: int) -> int:
        mine = Client(app.test_client(), here.admin.key, here.admin.user_id)
        return mine.put(f"/invoices/{draft}/issuance").status_code

    with ThreadPoolExecutor(20) as pool:
        statuses = sorted(pool.map(attempt, range(20)))
    assert statuses == [200] + [409] * 19
    assert issued(here.admin)["number"] == "INV-000002"
    assert neighbour.admin.put(f"/invoices/{draft}/issuance").status_code == 404


def test_what_is_rolled_back_takes_its_number_back(
    new_workspace: Callable[[], Workspace], neighbour: Workspace
) -> None:
    here = new_workspace()
    with pytest.raises(ZeroDivisionError):
        _take_a_number_and_fail(here)
    nobody = drafted(here.admin, billing_name=None)
    assert here.admin.put(f"/invoices/{nobody['id']}/issuance").status_code == 409
    issued(neighbour.admin)
    assert issued(here.admin)["number"] == "INV-000001"


def test_each_tenant_and_each_kind_of_document_counts_by_itself(
    new_workspace: Callable[[], Workspace], neighbour: Workspace
) -> None:
    here = new_workspace()
    issued(neighbour.admin)
    invoices = [issued(here.admin) for _ in range(2)]
    notes = [here.admin.post("/credit-notes", {"invoice_id": each["id"]}).json for each in invoices]
    assert [each["number"] for each in invoices] == ["INV-000001", "INV-000002"]
    assert [each["number"] for each in notes] == ["CN-000001", "CN-000002"]


def test_a_prefix_is_chosen_and_the_counting_goes_on(
    new_workspace: Callable[[], Workspace], neighbour: Workspace
) -> None:
    here = new_workspace()
    issued(here.admin)
    series = {each["name"]: each for each in here.admin.get("/number-series").json["data"]}
    assert series.keys() == {"invoices", "credit-notes"}
    path = f"/number-series/{series['invoices']['id']}"
    assert here.admin.patch(path, {"prefix": "2026-"}).json["last"] == 1
    assert issued(here.admin)["number"] == "2026-000002"
    for wrong in ("A1", "A B-", "x" * 21, "Ü-"):
        assert here.admin.patch(path, {"prefix": wrong}).status_code == 422
    assert here.admin.patch(path, {"last": 0}).status_code == 422
    assert here.manager.get(path).status_code == 200
    assert here.manager.patch(path, {"prefix": "M-"}).status_code == 403
    assert neighbour.admin.patch(path, {"prefix": "N-"}).status_code == 404


def _take_a_number_and_fail(here: Workspace) -> None:
    with inside(here.home):
        act_as(SYSTEM)
        assert next_number(Series.INVOICES) == "INV-000001"
        raise ZeroDivisionError


@settings(max_examples=10, deadline=None)
@given(attempts=st.lists(st.sampled_from(["fine", "no lines", "nobody billed", "neighbour"]), max_size=6))
def test_numbers_are_contiguous_whatever_was_tried(
    acme: Workspace, neighbour: Workspace, attempts: list[str]
) -> None:
    given_out = [issued(acme.admin)["number"]]
    for attempt in attempts:
        draft = drafted(acme.admin, billing_name=None if attempt == "nobody billed" else "Initech")
        path = f"/invoices/{draft['id']}"
        if attempt == "no lines":
            acme.admin.patch(path, {"lines": []})
        answer = (neighbour if attempt == "neighbour" else acme).admin.put(f"{path}/issuance")
        given_out += [answer.json["number"]] if answer.status_code == 200 else []
    assert len(given_out) == 1 + attempts.count("fine")
    counted = [int(number.removeprefix("INV-")) for number in given_out]
    assert counted == list(range(counted[0], counted[0] + len(counted)))
