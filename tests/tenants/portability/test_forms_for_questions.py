"""Parquet and SQLite: read by DuckDB and SQLite themselves, typed, with every value as it was."""

import json
import sqlite3
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from crm.contacts.models import Company, Contact
from tenants.access.caller import SYSTEM, act_as
from tenants.isolation.door import db, inside
from tenants.portability.arriving import bring_in
from tenants.portability.bundling import Bundling, snapshot
from tenants.portability.contents import tables
from tenants.portability.database import Database
from tenants.portability.fitting import BundleDoesNotFit
from tenants.portability.formats import Format
from tenants.portability.streams import through
from tenants.portability.taking_out import take_out
from tenants.portability.verifying import verify
from tenants.provisioning.birth import Nursery
from tests.workspace import Workspace

AWKWARD = ("", "\\N", '"', ",", "two\nlines\r\n", "\u2028\u0085 Ma\u0308\u6f22", "=1+1", "x" * 9000)
AT = datetime(1, 1, 1, 0, 0, 0, 123456, tzinfo=UTC)
MICROSECONDS = (AT - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@pytest.fixture(scope="module")
def tenant(new_workspace: Callable[[], Workspace]) -> Workspace:
    made = new_workspace()
    parent = made.admin.post("/companies", {"name": "Parent", "bank_account": "DE89"}).json["id"]
    made.admin.post("/companies", {"name": "Child", "parent_id": parent})
    with inside(made.home):
        act_as(SYSTEM)
        for text in AWKWARD:
            row = Contact(
                last_name=text, tags=[text[:9], ""], source="api", birthday=date(1, 1, 1), created_at=AT
            )
            row.notes, row.national_id = text or None, text or None
            db().add(row)
        for revenue in (Decimal("9" * 13 + ".99"), Decimal("-1.10"), None):
            db().add(Company(name=f"Worth {revenue}", revenue=revenue, employees=2_147_483_647, source="api"))
    return made


def _unpacked(tenant: Workspace, format_: Format, folder: Path) -> Path:
    take_out(tenant.home, folder / "bundle.zip", format_)
    with zipfile.ZipFile(folder / "bundle.zip") as archive:
        archive.extractall(folder)
    return folder


def _stored(tenant: Workspace) -> set[tuple]:
    with inside(tenant.home):
        return {(str(each.id), each.last_name, each.notes) for each in db().query(Contact)}


@pytest.mark.promise("EXP-1")
def test_duckdb_reads_parquet_with_its_types_and_every_value(
    tenant: Workspace, neighbour: Workspace, tmp_path: Path
) -> None:
    neighbour.admin.post("/contacts", {"last_name": "Never in it"})
    folder = _unpacked(tenant, Format.PARQUET, tmp_path)
    ask = duckdb.connect().execute

    def rows(query: str, table: str) -> list[tuple]:
        return ask(query, [str(folder / "data" / f"{table}.parquet")]).fetchall()

    assert set(rows("select id, last_name, notes from read_parquet(?)", "contacts")) == _stored(tenant)
    opened = {each[0] for each in rows("select national_id from read_parquet(?)", "contacts")}
    assert opened == {*AWKWARD[1:], None}
    kinds = {each[0]: each[1] for each in rows("describe select * from read_parquet(?)", "contacts")}
    assert (kinds["birthday"], kinds["created_at"], kinds["tags"], kinds["do_not_contact"], kinds["version"]) == (
        "DATE", "TIMESTAMP WITH TIME ZONE", "VARCHAR[]", "BOOLEAN", "BIGINT",
    )  # fmt: skip
    query = "select birthday, epoch_us(created_at), tags from read_parquet(?) where notes = '=1+1'"
    (birthday, at, tags), = rows(query, "contacts")  # fmt: skip
    assert (birthday, at, tags) == (date(1, 1, 1), MICROSECONDS, ["=1+1", ""])
    worth = {each[0] for each in rows("select revenue from read_parquet(?)", "companies")}
    assert worth == {Decimal("9" * 13 + ".99"), Decimal("-1.10"), None}
    packed = rows("select distinct compression from parquet_metadata(?)", "contacts")
    assert packed == [("ZSTD",)]
    assert len(list((folder / "data").iterdir())) == len(tables())


def test_sqlite_reads_one_file_with_keys_relations_and_indexes(
    tenant: Workspace, neighbour: Workspace, tmp_path: Path
) -> None:
    neighbour.admin.post("/contacts", {"last_name": "Never in it"})
    folder = _unpacked(tenant, Format.SQLITE, tmp_path)
    with sqlite3.connect(folder / "data.sqlite") as database:
        ask = database.execute
        assert ask("pragma integrity_check").fetchall() == [("ok",)]
        assert ask("pragma foreign_key_check").fetchall() == []
        assert {each[0] for each in ask("select name from sqlite_master where type = 'table'")} == {
            each.name for each in tables()
        }
        assert set(ask("select id, last_name, notes from contacts")) == _stored(tenant)
        assert {each[0] for each in ask("select national_id from contacts")} == {*AWKWARD[1:], None}
        worth = {each[0] for each in ask("select revenue from companies")}
        assert worth == {"9" * 13 + ".99", "-1.10", None}
        joined = "select c.name, p.name from companies c join companies p on p.id = c.parent_id"
        assert ask(joined).fetchall() == [("Child", "Parent")]
        indexed = {each[2] for each in ask("select * from pragma_index_list('contacts')")}
        assert indexed >= {0, 1}
        plan = ask("explain query plan select * from contacts where company_id = ''").fetchall()
        assert "USING INDEX" in plan[0][3]
        with pytest.raises(sqlite3.IntegrityError):
            ask("insert into contacts select * from contacts limit 1")
    database.close()


@pytest.mark.parametrize("format_", [Format.PARQUET, Format.SQLITE])
def test_it_is_verified_by_its_hashes_and_no_tenant_is_made_of_it(
    tenant: Workspace, neighbour: Workspace, nursery: Nursery, tmp_path: Path, format_: Format
) -> None:
    folder = _unpacked(tenant, format_, tmp_path)
    report = verify(folder / "bundle.zip")
    assert (report.holds, report.rows_read, report.described.format) == (True, False, format_)
    said = json.loads((folder / "datapackage.json").read_text())
    assert said["freehold"]["restorable"] is False
    with pytest.raises(BundleDoesNotFit, match="csv or jsonl"):
        bring_in(nursery, folder / "bundle.zip", f"from-{format_}")
    damaged = tmp_path / "damaged.zip"
    with zipfile.ZipFile(folder / "bundle.zip") as whole, zipfile.ZipFile(damaged, "w") as copy:
        for name in whole.namelist():
            content = whole.read(name)
            copy.writestr(
                name, content[:-9] + b"something" if name.startswith(("data/", "data.")) else content
            )
    assert any("was altered" in str(each) for each in verify(damaged).findings)
    assert neighbour.admin.get("/contacts?limit=1").status_code == 200


def test_nothing_is_left_of_an_export_that_broke_off(
    tenant: Workspace, neighbour: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with snapshot(tenant.home):
        pieces = Bundling(Format.SQLITE).pieces()
        next(pieces)
        assert list(tmp_path.iterdir()) == []
        pieces.close()
    database = Database()
    assert list(tmp_path.iterdir()) == []
    database.close()
    with snapshot(neighbour.home):
        assert b"".join(Bundling(Format.SQLITE).pieces())


def test_what_goes_wrong_in_a_stream_comes_out_where_it_is_driven() -> None:
    def pieces(piece: bytes, count: int):
        yield from [piece] * count

    def broken(source, _file) -> None:
        source.read(10)
        raise ValueError("no more")

    def failing():
        yield b"one"
        raise OSError("the source broke")

    with pytest.raises(ValueError, match="no more"):
        list(through(broken, pieces(b"one", 100)))
    with pytest.raises(OSError, match="the source broke"):
        list(through(lambda source, file: file.write(source.read(10)), failing()))

    def copied(source, file) -> None:
        while piece := source.read(3):
            file.write(piece)

    assert b"".join(through(copied, pieces(b"abcdefg", 50))) == b"abcdefg" * 50
    begun = through(copied, pieces(b"abcd", 1000))
    next(begun)
    begun.close()
