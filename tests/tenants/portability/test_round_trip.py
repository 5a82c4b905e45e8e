"""A tenant leaves with a bundle and comes back as another, equal row by row."""

import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import func, select

from crm.contacts.models import Company, Contact
from tenants.access.caller import SYSTEM, act_as
from tenants.catalog.registry import Home
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict
from tenants.foundation.tables import Source
from tenants.identity.models import Team, TenantProfile, User
from tenants.identity.programs.models import ApiKey
from tenants.identity.signing_in.models import Password, Session
from tenants.isolation.door import db, inside
from tenants.isolation.sealing import opened
from tenants.jobs.models import Job, JobState
from tenants.portability.arriving import bring_in
from tenants.portability.comparing import content_of, differences
from tenants.portability.formats import Format
from tenants.portability.models import Arrival
from tenants.portability.taking_out import take_out
from tenants.portability.verifying import verify
from tenants.provisioning.birth import Nursery
from tests.jobs import RunJobs
from tests.owning import AWKWARD
from tests.workspace import Workspace


def _fill(tenant: Workspace) -> None:
    parent = tenant.admin.post("/companies", {"name": "Parent", "bank_account": "DE89 3704 0044"}).json["id"]
    child = tenant.admin.post("/companies", {"name": "Child", "parent_id": parent}).json["id"]
    tenant.admin.patch(f"/companies/{parent}", {"parent_id": child})
    with inside(tenant.home):
        act_as(SYSTEM)
        for number, text in enumerate(AWKWARD):
            contact = Contact(
                last_name=text, first_name=None if number % 2 else "", tags=[text[:50], ""], source="api"
            )
            contact.notes, contact.national_id = text, text or None
            db().add(contact)
        for revenue in (Decimal("0.000001"), Decimal("9" * 13 + ".99"), Decimal("-1.10"), None):
            db().add(Company(name=f"Worth {revenue}", revenue=revenue, employees=2_147_483_647, source="api"))
        edge = datetime(1, 1, 1, tzinfo=UTC)
        db().add(Contact(last_name="Old", birthday=edge.date(), created_at=edge, source=Source.CHANNEL))
        team = db().scalars(select(Team).limit(1)).one()
        team.manager_id = tenant.manager.user_id
        running = Job(
            kind="exports.make", state=JobState.RUNNING, attempt=3, actor_kind="system", arguments={"a": 1.50}
        )
        running.lease_until = now() + timedelta(minutes=1)
        db().add(running)


@pytest.fixture
def source(new_workspace: Callable[[], Workspace]) -> Workspace:
    tenant = new_workspace()
    _fill(tenant)
    return tenant


@pytest.mark.promise("EXP-4")
@pytest.mark.parametrize("format_", [each for each in Format if each.restorable])
def test_a_tenant_comes_back_equal_row_by_row(
    source: Workspace, neighbour: Workspace, nursery: Nursery, tmp_path: Path, format_: Format
) -> None:
    before, others = content_of(source.home), content_of(neighbour.home)
    file = tmp_path / "first.zip"
    take_out(source.home, file, format_)
    report = verify(file)
    assert report.holds, report.findings
    assert differences(before, report.content) == []
    third = bring_in(nursery, file, f"third-{format_}").home
    assert third.id not in (source.home.id, neighbour.home.id)
    assert differences(content_of(third), before) == []
    again = tmp_path / "second.zip"
    take_out(third, again, Format.CSV)
    assert differences(verify(again).content, before) == []
    assert differences(content_of(neighbour.home), others) == []


def test_sealed_fields_open_in_their_new_home(
    source: Workspace, neighbour: Workspace, nursery: Nursery, tmp_path: Path
) -> None:
    file = tmp_path / "bundle.zip"
    take_out(source.home, file, Format.CSV)
    third = bring_in(nursery, file, "third-sealed").home

    def sealed(home: Home) -> dict[str, tuple[bytes, str | None]]:
        with inside(home):
            wanted = select(Contact).where(Contact.national_id.is_not(None))
            return {
                str(each.id): (each.national_id, opened(each, "national_id")) for each in db().scalars(wanted)
            }

    ours, theirs = sealed(source.home), sealed(third)
    assert {key: value[1] for key, value in ours.items()} == {key: value[1] for key, value in theirs.items()}
    assert {value[1] for value in theirs.values()} == set(AWKWARD) - {""}
    assert not {value[0] for value in ours.values()} & {value[0] for value in theirs.values()}
    assert not ours.keys() & sealed(neighbour.home).keys()


@pytest.mark.soak
def test_a_job_that_was_running_is_on_record_and_does_not_run_again(
    source: Workspace, neighbour: Workspace, nursery: Nursery, tmp_path: Path, run_jobs: RunJobs
) -> None:
    file = tmp_path / "bundle.zip"
    take_out(source.home, file, Format.JSONL)
    with zipfile.ZipFile(file) as archive:
        assert '"state":"running"' in archive.read("data/jobs.jsonl").decode()
    third = bring_in(nursery, file, "third-jobs").home
    run_jobs()
    with inside(third):
        job = db().scalars(select(Job).where(Job.kind == "exports.make")).one()
        assert (job.state, job.held_state, job.attempt) == (JobState.HELD, JobState.RUNNING, 3)
    assert differences(content_of(third), verify(file).content) == []
    with inside(neighbour.home):
        assert db().scalars(select(Job).where(Job.state == JobState.HELD)).all() == []


def test_nobody_signs_in_until_let_in(
    source: Workspace, neighbour: Workspace, nursery: Nursery, tmp_path: Path
) -> None:
    file = tmp_path / "bundle.zip"
    take_out(source.home, file, Format.CSV)
    third = bring_in(nursery, file, "third-credentials").home
    with inside(third):
        for model in (ApiKey, Password, Session):
            assert db().scalar(select(func.count()).select_from(model)) == 0
        profile = db().scalars(select(TenantProfile)).one()
        assert (profile.id, profile.slug) == (third.id, "third-credentials")
        assert db().scalars(select(User.email).where(User.id == source.admin.user_id)).one()
        assert db().scalars(select(Arrival.from_tenant)).one() == str(source.home.id)
    assert source.admin.get("/me").status_code == 200
    assert neighbour.admin.get("/me").status_code == 200


def test_a_name_that_is_taken_is_refused(
    source: Workspace, neighbour: Workspace, nursery: Nursery, tmp_path: Path
) -> None:
    file = tmp_path / "bundle.zip"
    take_out(source.home, file, Format.CSV)
    before = content_of(neighbour.home)
    with pytest.raises(Conflict, match="taken"):
        bring_in(nursery, file, "neighbour")
    assert content_of(neighbour.home) == before
