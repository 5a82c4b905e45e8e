"""A bundle shows one moment: what comes, changes or goes while it is written is not in it."""

import csv
import io
import json
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tenants.isolation.door import here
from tenants.jobs.progress import progress
from tenants.portability import jobs
from tenants.portability.bundling import Bundling, snapshot
from tenants.portability.comparing import content_of, differences
from tenants.portability.formats import Format
from tenants.portability.repeating import key_of
from tenants.portability.verifying import verify
from tests.attaching import attached, purge
from tests.jobs import RunJobs, due_now
from tests.workspace import Workspace

pytestmark = pytest.mark.soak

LATER = "Nobody knew of it at that moment"
Rows = list[dict[str, str]]
Make = Callable[[Format], str]


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

    def must_be_as_it_was(self, file: Path, format_: Format) -> None:
        """The bundle shows all of it as it was before that."""
        names = {each["name"] for each in rows_of(file, "companies", format_)}
        people = {each["id"]: each for each in rows_of(file, "contacts", format_)}
        assert names == {"Stays", "Goes"}
        assert (people[self.bill]["last_name"], people[self.bill]["company_id"]) == ("Bill", self.stays)
        assert people[self.gone]["company_id"] == self.goes
        with zipfile.ZipFile(file) as archive:
            contents = {each: archive.read(each) for each in archive.namelist()}
        assert not [each for each, content in contents.items() if LATER.encode() in content]
        assert sum(each.startswith("files/") for each in contents) == 2


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
    world.must_be_as_it_was(file, format_)
    assert neighbour.admin.get(f"/companies/{world.stays}").status_code == 404


@pytest.fixture
def world(new_workspace: Callable[[], Workspace]) -> World:
    return World(new_workspace())


@pytest.fixture(params=["exported", "copied by a schedule"])
def make(request: pytest.FixtureRequest, world: World, run_jobs: RunJobs) -> Make:
    """Has a job make a bundle; the path of the export."""

    def export(format_: Format) -> str:
        path = f"/exports/{world.ask.post('/exports', {'format': format_}).json['id']}"
        run_jobs()
        return path

    def copy(format_: Format) -> str:
        said = {"name": "Nightly", "cron": "0 2 * * *", "format": format_}
        schedule = world.ask.post("/export-schedules", said).json["id"]
        due_now(world.tenant.home, key_of(schedule))
        run_jobs()
        (made,) = world.ask.get(f"/exports?schedule_id={schedule}").json["data"]
        return f"/exports/{made['id']}"

    run_jobs()
    return export if request.param == "exported" else copy


@pytest.mark.promise("EXP-1")
@pytest.mark.parametrize("moment", [(Format.JSONL, "companies"), (Format.CSV, "contacts")])
def test_a_job_makes_its_bundle_of_one_moment_while_others_commit_between_two_tables(
    world: World, neighbour: Workspace, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    moment: tuple[Format, str],
) -> None:  # fmt: skip
    format_, reached = moment
    moved: list[str] = []

    def told(done: int, total: int, table: str) -> None:
        if table == reached and not moved and here().home.id == world.tenant.home.id:
            moved.append(table)
            with ThreadPoolExecutor(1) as others:
                others.submit(world.move_on).result()
        progress(done, total, table)

    monkeypatch.setattr(jobs, "progress", told)
    path, file = make(format_), tmp_path / "bundle.zip"
    assert moved == [reached]
    assert world.ask.get(path).json["status"] == "succeeded"
    file.write_bytes(world.ask.get(f"{path}/download").data)
    report = verify(file)
    assert report.holds, report.findings
    world.must_be_as_it_was(file, format_)
    assert neighbour.admin.get(path).status_code == 404
