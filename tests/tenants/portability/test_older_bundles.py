"""Bundles that programs of released revisions made come in, and are brought to this program's revision on the way.

Those in `of_then` were written by the programs of their revisions; nothing in them was changed since.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from crm.contacts.models import Company, Contact
from tenants.attachments.models import Attachment, file_of
from tenants.audit.verification import verify_log
from tenants.catalog.models import State, Tenant
from tenants.catalog.registry import Home
from tenants.identity.models import TenantProfile, User
from tenants.isolation.door import db, inside
from tenants.isolation.files import opened_file
from tenants.isolation.sealing import opened
from tenants.jobs.models import Job, JobState
from tenants.portability import older
from tenants.portability.arriving import bring_in
from tenants.portability.comparing import content_here, content_of, differences
from tenants.portability.content import ContentHash
from tenants.portability.contents import BundleTable, tables
from tenants.portability.formats import Format
from tenants.portability.letting_in import let_in
from tenants.portability.models import Arrival
from tenants.portability.opening import opened_bundle
from tenants.portability.rows import Measured, rows_of
from tenants.portability.taking_out import take_out
from tenants.provisioning.birth import Nursery
from tenants.provisioning.models import SchemaRevision
from tenants.provisioning.revisions import Revision, steps
from tests.attaching import CONTENT, attached
from tests.jobs import RunJobs
from tests.tenants.provisioning.schemas import fingerprint
from tests.workspace import Client, Workspace

OF_THEN = Path(__file__).parent / "of_then"
SEALED = {"Ng": "AB 12 34 56 C", '=1+1, "x"\n': None, "\\N": "\\N"}
FIRST, *LATER = sorted(each.stem for each in OF_THEN.iterdir())
REVISIONS = [FIRST, *(pytest.param(each, marks=pytest.mark.soak) for each in LATER)]
#: What came with later revisions, and how much of it their bundles have.
SINCE_THEN = {
    "0003": {"attachments": 1},
    "0004": {"attachments": 1, "custom_fields": 1, "export_schedules": 1, "webhooks": 1, "notices": 2},
}
SINCE_THEN["0005"] = SINCE_THEN["0004"]


@pytest.mark.promise("EXP-4")
def test_there_is_a_bundle_of_every_revision_before_this_programs_own() -> None:
    before = [each.name for each in steps("tenant", None)][:-1]
    assert before == [FIRST, *LATER], (
        "make one with the program of that revision, before the next is released"
    )
    for revision in before:
        with opened_bundle(OF_THEN / f"{revision}.zip") as bundle:
            rows = {each.name: each.rows for each in bundle.described.tables}
            assert bundle.described.schema_revision == revision
            assert SINCE_THEN.get(revision, {}).items() <= rows.items()


@pytest.mark.promise("EXP-4")
@pytest.mark.parametrize("revision", REVISIONS)
def test_a_bundle_of_a_released_revision_arrives_with_all_its_rows(
    app: Flask, new_workspace: Callable[[], Workspace], nursery: Nursery, run_jobs: RunJobs, revision: str
) -> None:
    neighbour = new_workspace()
    run_jobs()  # of others too: whatever of the neighbour's is due is done
    file, others = OF_THEN / f"{revision}.zip", content_of(neighbour.home)
    phases: list[str] = []
    home = bring_in(
        nursery, file, f"from-{revision}", tell=lambda phase, _table, _rows: phases.append(phase)
    ).home
    assert list(dict.fromkeys(phases)) == ["import", "compare", "migrate"]
    expected, found = _in_what_is_still_there(file, home)
    assert len(expected) > 30
    assert differences(expected, found) == []
    _is_a_copy_that_stands_still(home, f"from-{revision}", run_jobs)
    _built_as_one_that_was_born_here(nursery, home, neighbour.home)
    log = verify_log(app.extensions["house"].catalog, home)
    assert (log.seals, log.brought, log.wrong) == (1, 1, [])
    _lets_people_in(app, nursery, home, neighbour)
    assert differences(content_of(neighbour.home), others) == []


def _in_what_is_still_there(file: Path, home: Home) -> tuple[dict[str, str], dict[str, str]]:
    """The content of every table in the columns that it had then and has now: in the bundle, and in the tenant."""
    expected: dict[str, str] = {}
    with opened_bundle(file) as bundle:
        then = {each.name: each for each in bundle.described.tables}
        both = [_narrowed(each, then[each.name].fields) for each in tables() if each.name in then]
        assert {each.name for each in both} == then.keys(), "no table has gone since"
        for table in both:
            said = then[table.name]
            gone = {each.name for each in said.fields} - {each.name for each in table.columns}
            content = ContentHash(said.fields, [*table.names_tenant, *gone])
            with bundle.open(said.file.path) as stream:
                for _, values in rows_of(said.fields, bundle.described.format, Measured(stream).lines()):
                    content.add(values)
            expected[table.name] = content.hexdigest()
    with inside(home):
        return expected, content_here(these=both)


def _narrowed(table: BundleTable, then: Any) -> BundleTable:
    names = {each.name for each in then}
    return replace(table, columns=tuple(each for each in table.columns if each.name in names))


def _is_a_copy_that_stands_still(home: Home, slug: str, run_jobs: RunJobs) -> None:
    run_jobs()
    with inside(home):
        profile = db().scalars(select(TenantProfile)).one()
        assert (profile.id, profile.slug, profile.state) == (home.id, slug, "active")
        assert db().scalars(select(Arrival.from_tenant)).one() != str(home.id)
        jobs = db().scalars(select(Job).where(Job.kind == "exports.make")).all()
        assert [(each.state, each.held_state, each.attempt) for each in jobs] == [
            (JobState.HELD, JobState.RUNNING, 3)
        ]
        contacts = db().scalars(select(Contact)).all()
        assert {each.last_name: opened(each, "national_id") for each in contacts} == SEALED
        parent, child = db().scalars(select(Company).order_by(Company.name.desc())).all()
        assert (parent.parent_id, child.parent_id) == (child.id, parent.id)
        assert opened(parent, "bank_account") == "DE89 3704 0044 0532 0130 00"
        assert {each.version for each in contacts} == {1}, "nothing counts as changed"
        for each in db().scalars(select(Attachment)).all():
            with opened_file(each.file) as chunks:
                assert b"".join(chunks) == CONTENT


def _built_as_one_that_was_born_here(nursery: Nursery, home: Home, born: Home) -> None:
    """Tables, constraints, indexes and rights."""
    owner_url = str(nursery.owner_urls[home.cell])
    assert fingerprint(owner_url, home.role) == fingerprint(owner_url, born.role)
    with inside(home):
        assert db().scalars(select(SchemaRevision.revision)).one() == nursery.head


def _lets_people_in(app: Flask, nursery: Nursery, home: Home, neighbour: Workspace) -> None:
    with inside(home):
        email = db().scalars(select(User.email).where(User.name == "admin")).first()
    somebody = let_in(nursery, home, email, api_key=True)
    client = Client(app.test_client(), str(somebody.api_key), somebody.user_id)
    (contact,) = client.get("/contacts?last_name=Ng").json["data"]
    assert contact["national_id"] == "AB 12 34 56 C"
    assert client.post("/contacts", {"last_name": "New"}).status_code == 201
    assert neighbour.admin.get(f"/contacts/{contact['id']}").status_code == 404


@pytest.mark.soak
def test_a_program_that_is_ahead_brings_a_bundle_of_today_to_its_own_revision(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, nursery: Nursery, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    ours, file = new_workspace(), tmp_path / "bundle.zip"
    record = ours.admin.post("/contacts", {"last_name": "Ng", "national_id": "AB 12"}).json["id"]
    made = attached(ours.admin, "contacts", record, content=b"as it was")["id"]
    before, others = content_of(ours.home), content_of(neighbour.home)
    take_out(ours.home, file, Format.JSONL)
    ahead = Revision(
        "probe", ("alter table contacts add column probe text default 'new'",), transactional=True
    )
    monkeypatch.setattr(older, "steps", lambda line, since: (*steps(line, since), ahead))
    home = bring_in(replace(nursery, head="probe"), file, "from-today").home
    assert differences(content_of(home), before) == []
    with inside(home):
        assert db().execute(text("select probe from contacts")).scalars().all() == ["new"]
        assert db().scalars(select(SchemaRevision.revision)).one() == "probe"
        assert opened(db().scalars(select(Contact)).one(), "national_id") == "AB 12"
        with opened_file(file_of(db().scalars(select(Attachment.id)).one())) as chunks:
            assert b"".join(chunks) == b"as it was"
    assert neighbour.admin.get(f"/attachments/{made}").status_code == 404
    assert differences(content_of(neighbour.home), others) == []
    with nursery.catalog.transaction() as session:
        session.get_one(Tenant, home.id).state = State.DESTROYED  # nothing of this program is ahead
