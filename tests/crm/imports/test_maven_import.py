"""A public data set comes in through the API as it is, and the reports say what its files say."""

from decimal import Decimal
from pathlib import Path

import pytest

from tenants.portability.arriving import bring_in
from tenants.portability.comparing import content_of, differences
from tenants.portability.formats import Format
from tenants.portability.taking_out import take_out
from tenants.portability.verifying import verify
from tenants.provisioning.birth import Nursery
from tests import maven
from tests.uploads import brought_in


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
    new_workspace, neighbour, nursery: Nursery, run_jobs, tmp_path: Path
) -> None:
    ours = new_workspace()
    bring_in_maven(ours, run_jobs)
    file = tmp_path / "bundle.zip"
    take_out(ours.home, file, Format.CSV)
    report = verify(file)
    assert report.holds, report.findings
    assert (report.rows["deals"], report.rows["companies"]) == (8800, 85)
    third = bring_in(nursery, file, "maven-again").home
    assert differences(report.content, content_of(third)) == []
    assert differences(content_of(neighbour.home), content_of(third)) != []


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
