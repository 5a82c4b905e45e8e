"""What is no table, or too large, or asked for in a way that makes no sense, gets a sentence and changes nothing."""

import io
import zipfile
from collections.abc import Callable

import pytest

from tests.uploads import BOUNDARY, brought_in, form, rejected, upload
from tests.workspace import Workspace


def workbook() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("xl/workbook.xml", "<workbook/>")
    return file.getvalue()


BAD = {
    "empty": (b"", "The file is empty."),
    "only white space": (b"\n \n\n", "The file is empty."),
    "only a header": (b"Surname,Email\n", "The file has a header and no rows."),
    "a workbook": (workbook(), "This is a workbook or an archive, not a table of text."),
    "an old workbook": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        "This is an old Excel or Word document",
    ),
    "a PDF": (b"%PDF-1.7\n...", "This is a PDF, not a table of text."),
    "compressed": (b"\x1f\x8b\x08\x00", "This file is compressed."),
    "UTF-16": ("Surname\nMüller\n".encode("utf-16"), "This file is UTF-16."),
    "JSON": (b'{"Surname": "A"}', "This is JSON, not a table."),
    "a web page": (b"<!doctype html><p>", "This is a web page or XML, not a table."),
    "NUL bytes": (b"Surname\nA\0B\n", "The file holds NUL bytes: it is no text."),
    "neither UTF-8 nor Windows-1252": (
        b"Surname\nM\x81\xfcller\n",
        "The text is neither UTF-8 nor Windows-1252.",
    ),
    "two columns of one name": (b"Surname,Email,Email\nA,,\n", "Two columns have the same name: Email."),
    "too many columns": (
        (",".join(f"c{n}" for n in range(501)) + "\n1\n").encode(),
        "The file has 501 columns",
    ),
    "a header of paragraphs": (
        b"x" * 300 + b"\nA\n",
        "The first line does not look like the names of columns.",
    ),
    "a quote in the first row that ends too early": (b'Surname\n"A"B\n', "The quotes on line 2 don't fit"),
    "a cell without end": (
        b'Surname\n"' + b"A" * 1_100_000,
        "Line 2 holds a cell of more than 1048576 characters",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_file_that_is_no_table_gets_a_sentence(acme: Workspace, kind: str) -> None:
    content, sentence = BAD[kind]
    refused = upload(acme.admin, content, "contacts", mapping={"Surname": "last_name"})
    assert (refused.status_code, refused.json["code"]) == (422, "not_a_table"), refused.json
    assert refused.json["detail"].startswith(sentence)


def test_a_file_that_breaks_further_down_changes_nothing(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: Callable[[], int]
) -> None:
    ours = new_workspace()
    text = "Name\n" + "Good\n" * 3000 + '"Bad"ly quoted\n'
    done = brought_in(ours.admin, run_jobs, text, "companies")
    assert (done["status"], done["counts"]["created"]) == ("failed", 0)
    assert done["problem"].startswith("The quotes on line 3002 don't fit")
    assert ours.admin.get("/companies").json["data"] == []


def test_a_file_that_is_too_large_is_refused_with_the_limit(acme: Workspace, app) -> None:
    most = app.config["MAX_CONTENT_LENGTH"]
    app.config["MAX_CONTENT_LENGTH"] = 10_000
    try:
        refused = upload(acme.admin, "Surname\n" + "A\n" * 10_000, "contacts")
    finally:
        app.config["MAX_CONTENT_LENGTH"] = most
    assert (refused.status_code, refused.json["code"]) == (413, "too_large")


ASKED = {
    "no file": ({}, None, "file"),
    "an unknown resource": ({"resource": "passwords"}, "A\n1\n", "resource"),
    "an unknown mode": ({"mode": "replace"}, "Surname\nA\n", "mode"),
    "a mapping that is no JSON": ({"mapping": "{"}, "Surname\nA\n", "mapping"),
    "a mapping to an unknown field": ({"mapping": {"Surname": "passwords"}}, "Surname\nA\n", "mapping"),
    "a mapping of an unknown column": ({"mapping": {"Nachname": "last_name"}}, "Surname\nA\n", "mapping"),
    "two columns to one field": ({"mapping": {"A": "last_name", "B": "last_name"}}, "A,B\n1,2\n", "mapping"),
    "a needed field without a column": ({}, "Email\na@b.test\n", "mapping"),
    "columns that mean nothing": ({}, "Foo,Bar\n1,2\n", "mapping"),
    "words for an unknown column": ({"values": {"Nope": {"a": "b"}}}, "Surname\nA\n", "values"),
    "an upsert without a field to recognise by": ({"mode": "upsert"}, "Surname\nA\n", "match_on"),
    "recognised by a field without a column": ({"mode": "upsert", "match_on": "email"}, "Surname\nA\n", "match_on"),
    "recognised by a sealed field": (
        {"mode": "upsert", "match_on": "national_id"}, "Surname,National id\nA,1\n", "match_on",
    ),
    "a mapping that says a column twice": ({"mapping": '{"A": "email", "A": "last_name"}'}, "A\n1\n", "mapping"),
    "a field nobody knows": ({"colour": "red"}, "Surname\nA\n", "colour"),
}  # fmt: skip


@pytest.mark.parametrize("kind", ASKED)
def test_what_can_not_be_meant_is_named(acme: Workspace, kind: str) -> None:
    said, content, field = ASKED[kind]
    said = {"resource": "contacts", **said}
    if content is None:
        body = form({"resource": said["resource"]}, "", None)
        refused = acme.admin.post(
            "/imports", data=body, content_type=f"multipart/form-data; boundary={BOUNDARY}"
        )
    else:
        refused = upload(acme.admin, content, **said)
    assert refused.status_code == 422, refused.json
    assert field in refused.json["errors"], refused.json


@pytest.mark.parametrize("name", ["id", "created_at", "updated_at", "version", "source", "tenant_id"])
def test_mass_assignment_what_is_computed_is_no_field_to_import_into(
    acme: Workspace, neighbour: Workspace, name: str
) -> None:
    theirs = neighbour.admin.post("/companies", {"name": "Theirs"}).json["id"]
    for mode in ({"mode": "create"}, {"mode": "update", "match_on": "name"}):
        refused = upload(
            acme.admin, f"Name,X\nA,{theirs}\n", "companies", mapping={"Name": "name", "X": name}, **mode
        )
        assert refused.status_code == 422, refused.json
        assert f"'{name}'" in refused.json["errors"]["mapping"][0]


def test_ids_in_an_exported_file_go_nowhere_unless_records_are_recognised_by_them(
    acme: Workspace, neighbour: Workspace, run_jobs: Callable[[], int]
) -> None:
    theirs = neighbour.admin.post("/companies", {"name": "Theirs"}).json["id"]
    done = brought_in(acme.admin, run_jobs, f"Id,Name\n{theirs},Ours\n", "companies")
    assert (done["mapping"], done["unmapped"]) == ({"Id": None, "Name": "name"}, ["Id"])
    assert done["counts"]["created"] == 1
    assert acme.admin.get(f"/companies/{theirs}").status_code == 404
    assert neighbour.admin.get(f"/companies/{theirs}").json["name"] == "Theirs"


def test_a_body_that_is_no_form_is_refused(acme: Workspace) -> None:
    assert acme.admin.post("/imports", {"resource": "contacts"}).status_code == 422


ROWS = {
    "too few cells": ("Surname,Email\nA\n", "The row has 1 cells, the header 2."),
    "too many cells": ("Surname,Email\nA,b@c.test,d\n", "The row has 3 cells, the header 2."),
    "an address that is none": ("Surname,Email\nA,nobody\n", "Email: Not a valid email address."),
    "a day that is none": ("Surname,Birthday\nA,31.12.1990\n", "Birthday: Not a valid date."),
    "a word that is not one of the known": (
        "Surname,Lifecycle\nA,friend\n",
        "Lifecycle: Not one of: subscriber",
    ),
    "a text that is too long": (f"Surname\n{'x' * 101}\n", "Surname: Longer than 100 characters."),
    "an empty cell that is needed": ("Surname,City\n,Rome\n", "Surname: This can't be empty."),
    "a record that is not there": (
        "Surname,Company\nA,Nobody Ltd\n",
        "Company: There is no company 'Nobody Ltd'.",
    ),
    "a record that is there twice": (
        "Surname,Company\nA,Twin\n",
        "Company: There are several of company 'Twin'.",
    ),
    "a yes or no that is neither": (
        "Surname,Do not contact\nA,perhaps\n",
        "Do not contact: Not a valid boolean.",
    ),
}


@pytest.mark.parametrize("kind", ROWS)
def test_a_row_that_is_wrong_comes_back_with_its_reason(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: Callable[[], int], kind: str
) -> None:
    ours = new_workspace() if "twice" in kind else neighbour
    for _ in range(2 if "twice" in kind else 0):
        ours.admin.post("/companies", {"name": "Twin"})
    text, reason = ROWS[kind]
    done = brought_in(ours.admin, run_jobs, text, "contacts")
    assert (done["counts"]["rejected"], done["counts"]["created"]) == (1, 0), done
    assert reason in rejected(ours.admin, done)[0]


@pytest.mark.soak
@pytest.mark.parametrize(
    ("content", "encoding", "delimiter"),
    [
        ("Surname;City\nMüller;Köln\n".encode("cp1252"), "cp1252", ";"),
        ("\ufeffSurname\tCity\nMüller\tKöln\n".encode(), "utf-8-sig", "\t"),
        ("Surname|City\r\nMüller|Köln\r\n".encode(), "utf-8", "|"),
        ('\n"Surname, family",City\r"Müller",Köln\r'.encode(), "utf-8", ","),
    ],
)
def test_tables_of_many_kinds_are_read(
    new_workspace: Callable[[], Workspace],
    neighbour: Workspace,
    run_jobs: Callable[[], int],
    content,
    encoding,
    delimiter,
) -> None:
    ours = new_workspace()
    first = "Surname, family" if b"family" in content else "Surname"
    done = brought_in(ours.admin, run_jobs, content, "contacts", mapping={first: "last_name", "City": "city"})
    assert (done["encoding"], done["delimiter"]) == (encoding, delimiter)
    (made,) = ours.admin.get("/contacts").json["data"]
    assert (made["last_name"], made["city"]) == ("Müller", "Köln")
