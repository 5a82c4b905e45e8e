"""A tenant with something in every table, and texts and numbers that are hard to carry, leaves and comes back equal."""

import hashlib
import json
import sqlite3
import subprocess
import sys
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from flask import Flask

from tenants.jobs.carrier import Carrier
from tenants.jobs.dispatcher import Dispatcher
from tenants.portability.arriving import BundleDamaged, bring_in
from tenants.portability.comparing import content_of, differences
from tenants.portability.formats import Format
from tenants.portability.taking_out import take_out
from tenants.portability.verifying import verify
from tenants.provisioning.birth import Nursery
from tests.attaching import attached
from tests.examples import CANARY
from tests.jobs import running
from tests.owning import AWKWARD, NewWorkspace, filled, made_awkward, rows_in
from tests.workspace import Workspace

pytestmark = pytest.mark.soak
MOST, LARGE = Decimal("9" * 16 + ".99"), 2**31
#: What fields of numbers and days hold at most, and at least.
ENDS = {
    "companies.revenue": [MOST, -MOST],
    "products.price": [MOST, -MOST],
    "deals.amount": [MOST, -MOST],
    "companies.employees": [LARGE - 1, -LARGE],
    "number_series.last": [2**63 - 1, 0],
    "leads.score": [100, 0],
    "contacts.birthday": [date.max, date.min],
}
CONTENTS = (b"\x00\xff" * 70_000, 'a,"b"\r\n=1+1 👩‍👩‍👧 \u202e\n'.encode())


@pytest.fixture(scope="module")
def source(app: Flask, new_workspace: NewWorkspace, carrier: Carrier, dispatcher: Dispatcher) -> Workspace:
    tenant = new_workspace()
    with running(carrier, dispatcher) as run_jobs:
        examples = filled(app, tenant, run_jobs)
    for alone in ("companies", "products", "leads"):
        examples.make(alone)
    for content in CONTENTS:
        attached(tenant.admin, "contacts", examples.some("contacts"), content=content, name="awkward.bin")
    accepted = made_awkward(tenant.home)
    assert {each for values in accepted.values() for each in values} >= set(AWKWARD)
    assert {name: accepted[name] for name in ENDS} == ENDS
    assert sum(map(bool, accepted.values())) > 100, accepted
    return tenant


def test_there_is_something_in_every_table(source: Workspace, neighbour: Workspace) -> None:
    empty = [name for name, count in rows_in(source.home).items() if not count]
    assert empty == [], "tests/owning.py makes none of these"
    assert neighbour.admin.get("/contacts").status_code == 200


def must_not_take_nul(tenant: Workspace) -> None:
    """The one character that no text can have: it is refused where it is said, and nothing of it is kept."""
    refused = tenant.admin.post("/contacts", {"last_name": "Ng", "notes": "a\0b"})
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["notes"])


def must_not_carry_nul(nursery: Nursery, file: Path, between: bytes, text: bytes) -> None:
    """A bundle with a name that has it is refused, though its sizes and hashes are right."""
    with zipfile.ZipFile(file) as bundle:
        contents = {each: bundle.read(each) for each in bundle.namelist()}
    said = json.loads(contents["datapackage.json"])
    (contacts,) = [each for each in said["resources"] if each["name"] == "contacts"]
    path, name = contacts["path"], f"{CANARY} notes".encode()
    bent = contents[path] = contents[path].replace(between % name, between % text, 1)
    contacts |= {"bytes": len(bent), "hash": f"sha256:{hashlib.sha256(bent).hexdigest()}"}
    contents["datapackage.json"] = json.dumps(said).encode()
    with zipfile.ZipFile(other := file.with_name("nul.zip"), "w") as bundle:
        for each, content in contents.items():
            bundle.writestr(each, content)
    (finding, *_) = verify(other).findings
    assert (finding.file, finding.row is not None) == (path, True)
    with pytest.raises(BundleDamaged, match=r"NUL character|is no text"):
        bring_in(nursery, other, "nul")
    assert nursery.catalog.by_slug("nul") is None


@pytest.mark.promise("EXP-1", "EXP-4", "4-05", "4-24")
def test_everything_comes_back_equal_by_the_hash_of_every_table(
    source: Workspace, neighbour: Workspace, nursery: Nursery, tmp_path: Path
) -> None:
    before, others = content_of(source.home), content_of(neighbour.home)
    took = rows_in(source.home)
    must_not_take_nul(source)
    first, second = tmp_path / "first.zip", tmp_path / "second.zip"
    take_out(source.home, first, Format.CSV)
    report = verify(first)
    assert report.holds, [str(each) for each in report.findings]
    assert report.rows == took
    assert differences(report.content, before) == []
    third = bring_in(nursery, first, "everything").home
    assert differences(content_of(third), before) == []
    take_out(third, second, Format.JSONL)
    again = verify(second)
    assert again.holds, [str(each) for each in again.findings]
    assert differences(again.content, before) == []
    must_not_carry_nul(nursery, first, b",%s,", b"\\N\0")
    must_not_carry_nul(nursery, second, b'"%s"', rb"a\u0000b")
    with zipfile.ZipFile(first) as one, zipfile.ZipFile(second) as other:
        files = [each for each in one.namelist() if each.startswith("files/")]
        assert [one.read(each) for each in files] == [other.read(each) for each in files]
        assert {one.read(each) for each in files} >= set(CONTENTS)
    assert differences(content_of(neighbour.home), others) == []


@pytest.mark.promise("EXP-1")
def test_frictionless_finds_nothing_wrong_with_it(
    source: Workspace, neighbour: Workspace, tmp_path: Path
) -> None:
    take_out(source.home, tmp_path / "bundle.zip", Format.CSV)
    with zipfile.ZipFile(tmp_path / "bundle.zip") as bundle:
        bundle.extractall(tmp_path)
    asked = [sys.executable, "-m", "frictionless", "validate", "datapackage.json", "--json"]
    done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    wrong = [(task["name"], error) for task in report["tasks"] for error in task["errors"]]
    assert (wrong, report["errors"], report["warnings"], done.returncode) == ([], [], [], 0)
    assert {each["name"] for each in report["tasks"]} >= rows_in(source.home).keys()
    assert neighbour.admin.get("/contacts").status_code == 200


@pytest.mark.promise("EXP-1")
def test_duckdb_and_sqlite_read_every_table(source: Workspace, neighbour: Workspace, tmp_path: Path) -> None:
    expected = {}
    for format_ in (Format.PARQUET, Format.SQLITE):
        expected[format_] = rows_in(source.home)
        take_out(source.home, tmp_path / "bundle.zip", format_)
        with zipfile.ZipFile(tmp_path / "bundle.zip") as bundle:
            bundle.extractall(tmp_path)
    with duckdb.connect() as duck, sqlite3.connect(tmp_path / "data.sqlite") as lite:
        for name, count in expected[Format.PARQUET].items():
            file = str(tmp_path / "data" / f"{name}.parquet")
            # Every value goes into the hash, so that every value is read.
            read = duck.execute("select count(hash(each)) from read_parquet(?) each", [file]).fetchone()
            assert read == (count,), name
        assert lite.execute("pragma integrity_check").fetchall() == [("ok",)]
        for name, count in expected[Format.SQLITE].items():
            assert lite.execute(f'select count(*) from "{name}"').fetchone() == (count,), name  # noqa: S608 - our tables
    lite.close()
    assert neighbour.admin.get("/contacts").status_code == 200
