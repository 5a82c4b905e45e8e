"""A bundle that was tampered with is refused, naming the file and the row; an unsafe zip is not even read."""

import csv
import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any

import frictionless
import pytest

from tenants.foundation.errors import Conflict
from tenants.portability.arriving import BundleDamaged, bring_in
from tenants.portability.fitting import BundleDoesNotFit
from tenants.portability.formats import Format
from tenants.portability.opening import NotABundle
from tenants.portability.taking_out import take_out
from tenants.portability.verifying import verify
from tenants.provisioning.birth import Nursery
from tests.workspace import Workspace

Contents = dict[str, bytes]


@pytest.fixture(scope="module")
def bundle(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Of a tenant with a company, two contacts and a lead; tests tamper with copies of it."""
    tenant = new_workspace()
    company = tenant.admin.post("/companies", {"name": "Initech, Inc.", "notes": "=1+1"}).json["id"]
    for name in ("Bill", "Peter"):
        tenant.admin.post("/contacts", {"last_name": name, "company_id": company, "tags": ["a", 'b"c']})
    tenant.admin.post("/leads", {"last_name": "\\N"})
    neighbour.admin.post("/contacts", {"last_name": "Not of this bundle"})
    file = tmp_path_factory.mktemp("bundle") / "bundle.zip"
    take_out(tenant.home, file, Format.CSV)
    return file


def _contents(file: Path) -> Contents:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _written(contents: Contents, file: Path) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return file


def _altered(
    bundle: Path, tmp_path: Path, path: str, change: Callable[[bytes], bytes], *, hidden: bool
) -> Path:
    """A copy with one file changed; `hidden` tampers with sizes and hashes in the description too."""
    contents = _contents(bundle)
    contents[path] = change(contents[path])
    if hidden:
        package = json.loads(contents["datapackage.json"])
        resource = next(each for each in package["resources"] if each["path"] == path)
        resource["bytes"] = len(contents[path])
        resource["hash"] = "sha256:" + hashlib.sha256(contents[path]).hexdigest()
        contents["datapackage.json"] = json.dumps(package).encode()
    return _written(contents, tmp_path / "altered.zip")


def _cell(field: str, value: str, row: int = 2) -> Callable[[bytes], bytes]:
    """Puts a value into a field of a CSV file; the header is row 1."""

    def change(content: bytes) -> bytes:
        rows = list(csv.reader(io.StringIO(content.decode(), newline="")))
        rows[row - 1][rows[0].index(field)] = value
        out = io.StringIO(newline="")
        csv.writer(out).writerows(rows)
        return out.getvalue().encode()

    return change


def test_a_bundle_as_it_was_written_holds(bundle: Path) -> None:
    report = verify(bundle)
    assert report.holds, report.findings
    assert report.rows["contacts"] == 2
    assert len(set(report.content.values())) > 5


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("id", "not-an-id", "data/contacts.csv, row 3: id is no uuid."),
        ("birthday", "2026-02-30", "data/contacts.csv, row 3: birthday is no date."),
        ("created_at", "yesterday", "data/contacts.csv, row 3: created_at is no time."),
        ("do_not_contact", "perhaps", "data/contacts.csv, row 3: do_not_contact is no boolean."),
        ("version", "1.5", "data/contacts.csv, row 3: version is no integer."),
        ("tags", "{a,b}", "data/contacts.csv, row 3: tags is no list."),
        ("last_name", "\\N", "data/contacts.csv, row 3: last_name is missing."),
        (
            "lifecycle", "enemy",
            "data/contacts.csv, row 3: lifecycle is none of the words this field may hold.",
        ),
        (
            "company_id", "00000000-0000-7000-8000-000000000000",
            "data/contacts.csv, row 3: company_id refers to a row that is not in companies.",
        ),
    ],
)  # fmt: skip
def test_a_wrong_value_is_found_by_file_and_row_even_under_a_fresh_hash(
    bundle: Path, tmp_path: Path, field: str, value: str, sentence: str
) -> None:
    altered = _altered(bundle, tmp_path, "data/contacts.csv", _cell(field, value, row=3), hidden=True)
    assert sentence in map(str, verify(altered).findings)


def test_a_right_looking_change_is_found_by_the_hash(bundle: Path, tmp_path: Path) -> None:
    altered = _altered(
        bundle, tmp_path, "data/contacts.csv", lambda each: each.replace(b"Bill", b"Will"), hidden=False
    )
    (finding,) = verify(altered).findings
    assert (finding.file, finding.row, "altered" in finding.text) == ("data/contacts.csv", None, True)


def test_a_doubled_a_lost_and_a_ragged_row_are_found(bundle: Path, tmp_path: Path) -> None:
    def doubled(content: bytes) -> bytes:
        lines = content.splitlines(keepends=True)
        return b"".join([*lines, lines[1]])

    def lost(content: bytes) -> bytes:
        return b"".join(content.splitlines(keepends=True)[:-1])

    def ragged(content: bytes) -> bytes:
        return content + b"one,two\r\n"

    changes = {
        doubled: "row 4: its key has come before",
        lost: "has 1 good rows, and should have 2",
        ragged: "row 4: has 2 values",
    }
    for change, text in changes.items():
        altered = _altered(bundle, tmp_path, "data/contacts.csv", change, hidden=True)
        assert any(text in str(each) for each in verify(altered).findings), change.__name__


def test_a_missing_and_an_extra_file_are_found(bundle: Path, tmp_path: Path) -> None:
    contents = _contents(bundle)
    del contents["data/contacts.csv"]
    contents["data/more.csv"] = b"id\r\n"
    found = {str(each) for each in verify(_written(contents, tmp_path / "b.zip")).findings}
    assert "data/contacts.csv: is missing from the zip." in found
    assert "data/more.csv: datapackage.json knows no such file." in found


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/passwd", "data/../../evil", "data\\evil", "c:evil", "data//x", "a/./b"]
)
def test_a_name_that_leads_out_is_refused(bundle: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(NotABundle, match="not a name"):
        verify(_written({**_contents(bundle), name: b""}, tmp_path / "b.zip"))


def test_links_and_doubles_and_overlaps_are_refused(bundle: Path, tmp_path: Path) -> None:
    linked = tmp_path / "linked.zip"
    shutil.copy(bundle, linked)
    with zipfile.ZipFile(linked, "a") as archive:
        link = zipfile.ZipInfo("data/link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(NotABundle, match="is a link"):
        verify(linked)
    doubled = tmp_path / "doubled.zip"
    shutil.copy(bundle, doubled)
    with zipfile.ZipFile(doubled, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("README.md", "another")
    with pytest.raises(NotABundle, match="twice"):
        verify(doubled)
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("kernel", bytes(range(256)) * 4096)
        for number in range(50):
            again = copy(archive.getinfo("kernel"))
            again.filename = again.orig_filename = f"again-{number}"
            archive.filelist.append(again)
    with pytest.raises(NotABundle, match="overlap"):
        verify(bomb)


def test_what_is_no_bundle_is_said_in_a_sentence(bundle: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.zip"
    text.write_text("no zip at all")
    with pytest.raises(NotABundle, match="no zip file"):
        verify(text)
    cut = tmp_path / "cut.zip"
    cut.write_bytes(bundle.read_bytes()[:-100])
    with pytest.raises(NotABundle, match="not all of one"):
        verify(cut)
    with pytest.raises(NotABundle, match="There is no datapackage"):
        verify(_written({"a": b""}, tmp_path / "a.zip"))
    for descriptor in (b"{", b"[]", b"{}", b'{"freehold": {"version": 99}}'):
        with pytest.raises(NotABundle):
            verify(_written({**_contents(bundle), "datapackage.json": descriptor}, tmp_path / "a.zip"))


def test_damaged_bytes_are_found(bundle: Path, tmp_path: Path) -> None:
    content = bytearray(bundle.read_bytes())
    with zipfile.ZipFile(bundle) as archive:
        info = archive.getinfo("data/contacts.csv")
    middle = info.header_offset + 30 + len(info.filename) + 20 + info.compress_size // 2
    content[middle] ^= 0xFF
    damaged = tmp_path / "damaged.zip"
    damaged.write_bytes(content)
    assert {each.file for each in verify(damaged).findings} >= {"data/contacts.csv"}


def test_a_damaged_bundle_leaves_no_tenant_behind(bundle: Path, tmp_path: Path, nursery: Nursery) -> None:
    altered = _altered(bundle, tmp_path, "data/contacts.csv", _cell("last_name", "\\N"), hidden=True)
    with pytest.raises(BundleDamaged, match=r"data/contacts\.csv, row 2: last_name is missing"):
        bring_in(nursery, altered, "damaged")
    assert nursery.catalog.by_slug("damaged") is None


def test_a_row_that_the_tables_refuse_leaves_no_tenant_behind(
    bundle: Path, tmp_path: Path, nursery: Nursery
) -> None:
    def unruly(content: bytes) -> bytes:
        return _cell("employees", "99999999999")(content)

    altered = _altered(bundle, tmp_path, "data/companies.csv", unruly, hidden=True)
    with pytest.raises(Conflict, match="companies: the database refused a row"):
        bring_in(nursery, altered, "unruly")
    assert nursery.catalog.by_slug("unruly") is None
    assert bring_in(nursery, bundle, "unruly").home


def test_a_bundle_of_a_later_version_or_of_none_is_refused(
    bundle: Path, tmp_path: Path, nursery: Nursery
) -> None:
    def change(package: dict[str, Any]) -> bytes:
        return json.dumps(package).encode()

    contents = _contents(bundle)
    package = json.loads(contents["datapackage.json"])
    for revision, said in (
        ("9999", "revision 9999.*Update the program first"),
        ("0000", "revision 0000.*No version"),
        ("9" * 5000, "No version"),
        ("probe", "revision probe.*No version"),
        ("", "No version"),
    ):
        package["freehold"]["schemaRevision"] = revision
        changed = _written({**contents, "datapackage.json": change(package)}, tmp_path / "a.zip")
        with pytest.raises(BundleDoesNotFit, match=said):
            bring_in(nursery, changed, "newer")
        assert nursery.catalog.by_slug("newer") is None
    package = json.loads(contents["datapackage.json"])
    package["resources"] = [each for each in package["resources"] if each["name"] != "contacts"]
    del contents["data/contacts.csv"]
    with pytest.raises(BundleDoesNotFit, match="contacts"):
        bring_in(
            nursery, _written({**contents, "datapackage.json": change(package)}, tmp_path / "b.zip"), "fewer"
        )


def test_a_stranger_reads_the_bundle_by_its_description_alone(bundle: Path, tmp_path: Path) -> None:
    """Frictionless is not ours: types, constraints, keys, relations, sizes and hashes are checked by another hand."""
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path)
    report = frictionless.validate(str(tmp_path / "datapackage.json"))
    assert report.valid, report.flatten(["name", "rowNumber", "type", "note"])
    package = frictionless.Package(str(tmp_path / "datapackage.json"))
    (company,) = package.get_resource("companies").read_rows()
    assert (company["name"], company["notes"], company["revenue"]) == ("Initech, Inc.", "=1+1", None)
    (lead,) = package.get_resource("leads").read_rows()
    assert (lead["last_name"], lead["first_name"]) == ("\\N", None)
    fields = {
        each["name"]: each for each in package.get_resource("contacts").schema.to_descriptor()["fields"]
    }
    assert (fields["national_id"]["sealed"], fields["national_id"]["dataClass"]) == (True, "official_number")
    credentials = {each["table"] for each in package.to_descriptor()["freehold"]["excluded"]}
    assert {"api_keys", "sessions", "passwords", "idempotency_keys"} <= credentials
