"""A bundle shows one moment: what comes, changes or goes while it is written is not in it."""

import csv
import io
import json
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tenants.portability.bundling import Bundling, snapshot
from tenants.portability.comparing import content_of, differences
from tenants.portability.formats import Format
from tenants.portability.verifying import verify
from tests.attaching import attached, purge
from tests.workspace import Workspace

pytestmark = pytest.mark.soak

LATER = "Nobody knew of it at that moment"
Rows = list[dict[str, str]]


def rows_of(file: Path, table: str, format_: Format) -> Rows:
    with zipfile.ZipFile(file) as archive:
        text = archive.read(f"data/{table}.{format_}").decode()
    if format_ is Format.JSONL:
        return [json.loads(line) for line in text.splitlines()]
    return list(csv.DictReader(io.StringIO(text, newline="")))


class World:
    """Two companies, a contact of each with a file, and what is done to them while a bundle is being made."""

    def __init__(self, tenant: Workspace) -> None:
        self.tenant, self.ask = tenant, tenant.admin
        self.stays, self.goes = (self._make("companies", name=name) for name in ("Stays", "Goes"))
        self.bill = self._make("contacts", last_name="Bill", company_id=self.stays)
        self.gone = self._make("contacts", last_name="Gone", company_id=self.goes)
        for record in (self.bill, self.gone):
            attached(self.ask, "contacts", record, name="terms.txt")

    def _make(self, resource: str, **said: str) -> str:
        answer = self.ask.post(f"/{resource}", said)
        assert answer.status_code == 201, answer.json
        return str(answer.json["id"])

    def move_on(self) -> None:
        """A company and a contact come, others change, others go for good."""
        came = self._make("companies", name=LATER)
        attached(
            self.ask, "contacts", self._make("contacts", last_name=LATER, company_id=came), name="later.txt"
        )
        assert self.ask.patch(f"/companies/{self.stays}", {"name": LATER}).status_code == 200
        moved = {"last_name": LATER, "company_id": came}
        assert self.ask.patch(f"/contacts/{self.bill}", moved).status_code == 200
        for resource, record in (("contacts", self.gone), ("companies", self.goes)):
            assert self.ask.delete(f"/{resource}/{record}").status_code == 204
            purge(self.tenant, record)


@pytest.mark.promise("EXP-1")
@pytest.mark.parametrize(
    ("format_", "reached"),
    [(Format.CSV, "attachments"), (Format.JSONL, "companies"), (Format.CSV, "contacts")],
)
def test_nothing_of_what_comes_while_a_bundle_is_written_is_in_it(
    new_workspace: Callable[[], Workspace],
    neighbour: Workspace,
    tmp_path: Path,
    format_: Format,
    reached: str,
) -> None:
    world, file, heard = World(new_workspace()), tmp_path / "bundle.zip", set[str]()
    before = content_of(world.tenant.home)
    with file.open("wb") as out, snapshot(world.tenant.home):
        pieces = Bundling(format_, lambda table, _rows: heard.add(table)).pieces()
        while reached not in heard:
            out.write(next(pieces))
        with ThreadPoolExecutor(1) as others:
            others.submit(world.move_on).result()
        out.writelines(pieces)
    report = verify(file)
    assert report.holds, report.findings
    assert differences(report.content, before) == []
    assert differences(content_of(world.tenant.home), before) != []
    names = {each["name"] for each in rows_of(file, "companies", format_)}
    people = {each["id"]: each for each in rows_of(file, "contacts", format_)}
    assert names == {"Stays", "Goes"}
    assert (people[world.bill]["last_name"], people[world.bill]["company_id"]) == ("Bill", world.stays)
    assert people[world.gone]["company_id"] == world.goes
    with zipfile.ZipFile(file) as archive:
        contents = {each: archive.read(each) for each in archive.namelist()}
    assert not [each for each, content in contents.items() if LATER.encode() in content]
    assert sum(each.startswith("files/") for each in contents) == 2
    assert neighbour.admin.get(f"/companies/{world.stays}").status_code == 404
