"""Names that lie and types that are claimed: what is kept can be seen, and what is sent can't be run."""

import io
import unicodedata
import zipfile
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.http import parse_options_header

from tenants.attachments.naming import LONGEST, clean_name, is_clean
from tenants.attachments.sniffing import sent_as, sniffed
from tenants.http.downloads import content_disposition
from tests.attaching import attach, attached
from tests.workspace import Workspace

NAMES = {
    "report.pdf": "report.pdf",
    "../../etc/passwd": "passwd",
    "C:\\Users\\ada\\offer.docx": "offer.docx",
    "two\nlines\r\n.txt": "two lines .txt",
    "invoice\u202egpj.exe": "invoicegpj.exe",
    "\u2066hidden\u2069\u200f.txt": "hidden.txt",
    "zero\u200bwidth\ufeff.txt": "zerowidth.txt",
    "nul\0.txt": "nul.txt",
    'a"b<c>d|e?f*g:h.txt': "a_b_c_d_e_f_g_h.txt",
    "trailing. . .": "trailing",
    "e\u0301.txt": "\u00e9.txt",
    " ": "file",
    "..": "file",
    "/": "file",
    "\u202e": "file",
    "x" * 300 + ".pdf": "x" * 251 + ".pdf",
    "ü" * 200 + ".pdf": "ü" * 125 + ".pdf",
    "y" * 300: "y" * 255,
    "z." + "q" * 300: "z." + "q" * 253,
    ".htaccess": ".htaccess",
}


@pytest.mark.parametrize(("claimed", "kept"), NAMES.items(), ids=range(len(NAMES)))
def test_a_name_shows_all_that_is_in_it(
    acme: Workspace, neighbour: Workspace, claimed: str, kept: str
) -> None:
    assert clean_name(claimed) == kept
    record = acme.admin.post("/contacts", {"last_name": "Names"}).json["id"]
    answer = attach(acme.admin, "contacts", record, name=claimed)
    assert answer.json["name"] == kept
    sent = acme.admin.get(f"/attachments/{answer.json['id']}/download").headers["Content-Disposition"]
    kind, said = parse_options_header(sent)
    assert (kind, said["filename"]) == ("attachment", kept)
    assert neighbour.admin.get(f"/attachments/{answer.json['id']}/download").status_code == 404


@given(st.text(max_size=100).map(lambda text: text * 4))
@settings(max_examples=40, deadline=None)
def test_a_clean_name_is_one_line_that_fits_and_stays_as_it_is(claimed: str) -> None:
    name = clean_name(claimed)
    assert clean_name(name) == name
    assert is_clean(name)
    assert 0 < len(name.encode()) <= LONGEST
    assert name.isprintable()
    assert not set(name) & set('/\\<>:"|?*')
    assert not any(unicodedata.bidirectional(each) in ("RLO", "LRO", "RLE", "LRE") for each in name)
    header = content_disposition(name)
    assert header.isascii()
    assert header.isprintable()
    assert parse_options_header(header)[1]["filename"] == name


@pytest.mark.parametrize("name", ["", "a/b", "a\\b", "a\nb", "\u202egpj.exe", "ü" * 128, "a:b", " a", "a."])
def test_a_new_name_that_is_not_clean_is_refused(acme: Workspace, neighbour: Workspace, name: str) -> None:
    record = acme.admin.post("/contacts", {"last_name": "Names"}).json["id"]
    made = attached(acme.admin, "contacts", record)["id"]
    answer = acme.admin.patch(f"/attachments/{made}", {"name": name})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["name"])
    assert acme.admin.patch(f"/attachments/{made}", {"size": 1}).status_code == 422
    assert acme.admin.get(f"/attachments/{made}").json["name"] == "terms.txt"
    assert neighbour.admin.patch(f"/attachments/{made}", {"name": "b"}).status_code == 404


def zipped(*names: str, stored: bytes = b"") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in names:
            archive.writestr(name, stored or b"x")
    return made.getvalue()


OPEN = "application/vnd.oasis.opendocument.spreadsheet"
OFFICE = "application/vnd.openxmlformats-officedocument."
PARTS = ("[Content_Types].xml", "_rels/.rels")
STARTS = {
    b"%PDF-1.7\n": "application/pdf",
    b"\x89PNG\r\n\x1a\n\0\0": "image/png",
    b"\xff\xd8\xff\xe0\0\x10JFIF": "image/jpeg",
    b"GIF89a\1\0": "image/gif",
    b"RIFF\x24\0\0\0WEBPVP8 ": "image/webp",
    b"RIFF\x24\0\0\0WAVEfmt ": "audio/wav",
    b"RIFF\x24\0\0\0ABCD": "application/octet-stream",
    b"\0\0\0\x18ftypmp42": "video/mp4",
    zipped("a.txt"): "application/zip",
    zipped("mimetype", stored=OPEN.encode()): OPEN,
    zipped(*PARTS, "word/document.xml"): f"{OFFICE}wordprocessingml.document",
    zipped(*PARTS, "xl/workbook.xml"): f"{OFFICE}spreadsheetml.sheet",
    zipped(*PARTS, "ppt/presentation.xml"): f"{OFFICE}presentationml.presentation",
    zipped("xl/holiday.txt"): "application/zip",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "application/x-ole-storage",
    b"MZ\x90\0": "application/vnd.microsoft.portable-executable",
    b"\x7fELF\2": "application/x-elf",
    b"  \n<!DOCTYPE html><p>": "text/html",
    b"<SCRIPT>alert(1)</SCRIPT>": "text/html",
    b"\xef\xbb\xbf<html>": "text/html",
    b'<?xml version="1.0"?><svg onload="x()">': "image/svg+xml",
    b'<?xml version="1.0"?><a/>': "application/xml",
    b"BEGIN:VCARD\r\n": "text/vcard",
    "grün\n".encode(): "text/plain",
    ("x" * 1023 + "ü").encode(): "text/plain",
    "grün\n".encode("utf-16"): "text/plain",
    b"a\0b": "application/octet-stream",
    b"\x80\x81": "application/octet-stream",
}


@pytest.mark.parametrize(("start", "media_type"), STARTS.items(), ids=range(len(STARTS)))
def test_a_file_is_what_its_bytes_say(start: bytes, media_type: str) -> None:
    assert sniffed(start) == media_type


@given(st.binary(max_size=200))
@settings(max_examples=40, deadline=None)
def test_any_bytes_are_of_some_kind(start: bytes) -> None:
    assert "/" in sniffed(start)
    assert sent_as(sniffed(start)) not in ("text/html", "image/svg+xml", "application/xml")


def test_a_page_that_claims_to_be_a_picture_runs_nowhere(acme: Workspace, neighbour: Workspace) -> None:
    record = acme.admin.post("/contacts", {"last_name": f"Types {uuid4().hex}"}).json["id"]
    page = b"<html><script>alert(document.cookie)</script>"
    made = attached(acme.admin, "contacts", record, content=page, name="cat.png", media_type="image/png")
    assert (made["media_type"], made["claimed_type"]) == ("text/html", "image/png")
    path = f"/attachments/{made['id']}/download"
    answer = acme.admin.get(path)
    assert answer.data == page
    assert answer.headers.getlist("Content-Type") == ["application/octet-stream"]
    assert answer.headers.getlist("X-Content-Type-Options") == ["nosniff"]
    (policy,) = answer.headers.getlist("Content-Security-Policy")
    assert "sandbox" in policy
    assert "script-src" not in policy
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["Content-Length"] == str(len(page))
    assert answer.headers["Cache-Control"] == "no-store"
    assert acme.admin.request("HEAD", path).headers["Content-Length"] == str(len(page))
    assert neighbour.admin.get(path).status_code == 404


@pytest.mark.parametrize("claimed", ["text/html\x00", "nonsense", "a/b; q=1" * 40, ""])
def test_a_claim_that_is_no_media_type_is_not_kept(
    acme: Workspace, neighbour: Workspace, claimed: str
) -> None:
    record = acme.admin.post("/contacts", {"last_name": "Claims"}).json["id"]
    made = attached(acme.admin, "contacts", record, media_type=claimed)
    assert made["claimed_type"] in (None, "a/b")
    assert neighbour.admin.get(f"/attachments/{made['id']}").status_code == 404
