"""A public data set comes in through the API as it is, and the reports say what its files say."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Select, select

from crm.contacts.models import Company
from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.isolation.door import db, inside
from tenants.isolation.sealing import opened
from tenants.jobs.models import Job, JobState
from tenants.portability.arriving import bring_in
from tenants.portability.comparing import content_of, differences
from tenants.portability.verifying import verify
from tenants.provisioning.birth import Nursery
from tests import maven
from tests.uploads import brought_in
from tests.workspace import Workspace


def _file(name: str) -> bytes:
    return (maven.FOLDER / f"{name}.csv").read_bytes()


def bring_in_maven(ours, run_jobs):
    """All four files, as they are; the import of the deals."""
    people = brought_in(ours.admin, run_jobs, _file("sales_teams"), "users", name="sales_teams.csv")
    assert people["counts"] == {"rows": 35, "created": 35, "updated": 0, "skipped": 0, "rejected": 0}, people
    accounts = brought_in(
        ours.admin,
        run_jobs,
        _file("accounts"),
        "companies",
        mapping={
            "account": "name", "sector": "sector", "year_established": "founded", "revenue": "revenue",
            "employees": "employees", "office_location": None, "subsidiary_of": "parent.name",
        },
        values={"sector": maven.SECTORS},
    )  # fmt: skip
    assert accounts["counts"] == {"rows": 85, "created": 85, "updated": 0, "skipped": 0, "rejected": 0}, (
        accounts
    )
    products = brought_in(ours.admin, run_jobs, _file("products"), "products")
    assert products["counts"]["created"] == 7, products
    deals = brought_in(
        ours.admin,
        run_jobs,
        _file("sales_pipeline"),
        "deals",
        mapping={
            "opportunity_id": "reference", "sales_agent": "owner.name", "product": "product.name",
            "account": "company.name", "deal_stage": ["stage.name", "outcome"], "engage_date": "opened_on",
            "close_date": "closed_on", "close_value": "amount",
        },
        values={
            "product": maven.PRODUCTS,
            "stage.name": {"Won": "", "Lost": ""},
            "outcome": {"Prospecting": "", "Engaging": ""},
        },
    )  # fmt: skip
    assert deals["counts"] == {"rows": 8800, "created": 8800, "updated": 0, "skipped": 0, "rejected": 0}, (
        deals
    )
    return deals


@pytest.mark.soak
def test_the_maven_files_come_in_and_the_reports_agree_with_them(new_workspace, neighbour, run_jobs) -> None:
    ours = new_workspace()
    deals = bring_in_maven(ours, run_jobs)
    _reports_agree(ours)
    assert neighbour.admin.get(f"/imports/{deals['id']}").status_code == 404


@pytest.mark.soak
@pytest.mark.timeout(400)
def test_the_maven_tenant_leaves_and_comes_back_equal(
    new_workspace, nursery: Nursery, run_jobs, tmp_path: Path
) -> None:
    """With sealed fields and a job that was running, beside a tenant of made-up data."""
    ours, theirs = new_workspace(), new_workspace()
    bring_in_maven(ours, run_jobs)
    made_up = "".join(f"Made up {n},{('retail', 'medical')[n % 2]}\n" for n in range(500))
    brought_in(theirs.admin, run_jobs, f"Name,Sector\n{made_up}", "companies")
    accounts = _sealed(ours)
    running = _job_at_work(ours)
    asked = ours.admin.post("/exports", {}).json["id"]
    run_jobs()
    file = tmp_path / "bundle.zip"
    file.write_bytes(ours.admin.get(f"/exports/{asked}/download").data)
    report = verify(file)
    assert report.holds, report.findings
    assert (report.rows["deals"], report.rows["companies"]) == (8800, 85)
    third = bring_in(nursery, file, f"maven-{ours.home.role[-8:]}").home
    expected = content_of(ours.home)
    assert differences(report.content, content_of(third)) == []
    # What the export itself left behind came after its snapshot.
    assert not set(differences(expected, content_of(third))) & {
        "companies",
        "deals",
        "products",
        "users",
        "teams",
    }
    assert differences(content_of(theirs.home), content_of(third)) != []
    with inside(third):
        found = {each.name: opened(each, "bank_account") for each in db().scalars(_with_account())}
        held = db().get_one(Job, running)
        assert (held.state, held.held_state) == (JobState.HELD, JobState.RUNNING)
    assert found == accounts


def _with_account() -> Select[Company]:
    return select(Company).where(Company.bank_account.is_not(None))


def _sealed(workspace: Workspace) -> dict[str, str]:
    """Some companies with a bank account, by name."""
    accounts = {}
    for number, company in enumerate(workspace.admin.get("/companies?limit=20").json["data"]):
        accounts[company["name"]] = f"AT{number:02}1904300234573201"
        said = {"bank_account": accounts[company["name"]]}
        assert workspace.admin.patch(f"/companies/{company['id']}", said).status_code == 200
    return accounts


def _job_at_work(workspace: Workspace) -> UUID:
    with inside(workspace.home):
        act_as(SYSTEM)
        made = Job(kind="exports.make", state=JobState.RUNNING, actor_kind="system", arguments={})
        made.lease_until = now() + timedelta(hours=1)
        db().add(made)
        db().flush()
        return made.id


def _reports_agree(ours) -> None:
    """Each measure by each of these, against what the csv module alone works out from the files."""
    names = {"owner": "agent", "product": "product", "company": "account", "sector": "sector", "team": "manager",
             "outcome": "outcome", "stage": "open_stage", "month": "month"}  # fmt: skip
    for measure in ("count", "amount", "win_rate", "cycle_days"):
        for dimension, attribute in names.items():
            answer = ours.admin.get(f"/reports/deals?measure={measure}&group_by={dimension}")
            assert answer.status_code == 200, answer.json
            said = {_name(row[dimension]): _value(row, measure) for row in answer.json["data"]}
            assert said == {group[0]: value for group, value in maven.figures(measure, attribute).items()}, (
                measure,
                dimension,
            )


def _name(found):
    return found["name"] if isinstance(found, dict) else found


def _value(row, measure):
    found = row[measure]
    return Decimal(found["amount"]) if measure == "amount" else found
