"""Notes take 1 MiB over HTTP as they do in the database; bodies and pages stay bounded all the same."""

import json
from typing import Any

import pytest
from flask import Flask

from tenants.foundation.settings import Settings
from tenants.http.selects import MOST_BYTES
from tenants.http.texts import LONGEST
from tests.jobs import RunJobs
from tests.owning import NewWorkspace
from tests.uploads import upload
from tests.workspace import Workspace

MADE = {
    "/companies": {"name": "Acme"},
    "/contacts": {"last_name": "Ng"},
    "/deals": {"name": "Deal"},
    "/leads": {"last_name": "Ng"},
}


@pytest.mark.parametrize("path", MADE)
def test_notes_take_a_mebibyte_of_characters_however_they_are_written(
    acme: Workspace, neighbour: Workspace, path: str
) -> None:
    notes = "😀" * LONGEST
    said = MADE[path] | {"notes": notes}
    for escaped in (True, False):
        body = json.dumps(said, ensure_ascii=escaped).encode()
        answer = acme.admin.request("POST", path, data=body, content_type="application/json")
        assert answer.status_code == 201, answer.json
        assert answer.json["notes"] == notes
        made = f"{path}/{answer.json['id']}"
        assert acme.admin.get(made).json["notes"] == notes
        assert neighbour.admin.get(made).status_code == 404
    refused = acme.admin.post(path, said | {"notes": "x" * (LONGEST + 1)})
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["notes"])


def test_a_long_note_is_changed_put_on_record_and_found_by_its_record(
    acme: Workspace, neighbour: Workspace
) -> None:
    made = acme.admin.post("/contacts", {"last_name": "Longworth", "notes": "a" * LONGEST}).json
    changed = acme.admin.patch(f"/contacts/{made['id']}", {"notes": "b" * LONGEST})
    assert (changed.status_code, changed.json["notes"]) == (200, "b" * LONGEST)
    seen = acme.admin.get(f"/audit-events?record_id={made['id']}").json["data"]
    assert len(seen) == 2
    assert [each["id"] for each in acme.admin.get("/contacts?q=longworth").json["data"]] == [made["id"]]
    assert neighbour.admin.get("/contacts?q=longworth").json["data"] == []


def test_room_for_notes_is_room_for_texts_alone(
    acme: Workspace, neighbour: Workspace, settings: Settings
) -> None:
    """A list of a million empty objects takes a hundred times its bytes to read."""
    for tenant in (acme, neighbour):
        for notes in ("[" + "{}," * settings.max_body_bytes + "{}]", "1" * (settings.max_body_bytes + 1)):
            body = f'{{"last_name": "Ng", "notes": {notes}}}'.encode()
            answer = tenant.admin.request("POST", "/contacts", data=body, content_type="application/json")
            assert (answer.status_code, answer.json["code"]) == (413, "too_large")


def test_a_body_without_free_texts_has_no_room_for_them(
    acme: Workspace, neighbour: Workspace, settings: Settings
) -> None:
    for tenant in (acme, neighbour):
        answer = tenant.admin.post("/products", {"name": "x" * settings.max_body_bytes})
        assert (answer.status_code, answer.json["code"]) == (413, "too_large")


def test_a_page_ends_when_it_has_its_bytes_and_the_next_goes_on(
    new_workspace: NewWorkspace, neighbour: Workspace
) -> None:
    tenant = new_workspace()
    made = [
        tenant.admin.post("/contacts", {"last_name": f"{number}", "notes": "n" * LONGEST}).json["id"]
        for number in range(MOST_BYTES // LONGEST + 2)
    ]
    seen: list[str] = []
    sizes: list[int] = []
    cursor = ""
    while True:
        page: Any = tenant.admin.get(f"/contacts?sort=created_at&limit=200{cursor}")
        assert page.status_code == 200, page.json
        assert len(page.data) < MOST_BYTES + 2 * LONGEST
        sizes.append(len(page.json["data"]))
        seen += [each["id"] for each in page.json["data"]]
        if page.json["next_cursor"] is None:
            break
        cursor = f"&cursor={page.json['next_cursor']}"
    assert seen == made
    assert len(sizes) == 2
    assert len(tenant.admin.get("/contacts?sort=created_at&limit=3").json["data"]) == 3
    assert neighbour.admin.get("/contacts?last_name=0").json["data"] == []


def test_a_long_note_is_imported(acme: Workspace, neighbour: Workspace, run_jobs: RunJobs) -> None:
    made = upload(acme.admin, "last_name,notes\nImportedlong," + "i" * LONGEST + "\n", "contacts")
    assert made.status_code == 202, made.json
    run_jobs()
    (found,) = acme.admin.get("/contacts?last_name=Importedlong").json["data"]
    assert found["notes"] == "i" * LONGEST
    assert neighbour.admin.get("/contacts?last_name=Importedlong").json["data"] == []


def test_the_document_says_how_long_notes_may_be(app: Flask) -> None:
    schemas = app.test_client().get("/api/v1/openapi.json").json["components"]["schemas"]
    for name in ("Contact", "Company", "Deal", "Lead", "Invoice"):
        assert schemas[f"{name}Patch"]["properties"]["notes"]["maxLength"] == LONGEST
