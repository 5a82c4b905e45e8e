"""What becomes of values when their record becomes another one, is deleted and restored, or leaves with its tenant."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tenants.portability.arriving import bring_in
from tenants.portability.comparing import content_of, differences
from tenants.portability.formats import Format
from tenants.portability.taking_out import take_out
from tenants.portability.verifying import verify
from tenants.provisioning.birth import Nursery
from tests.jobs import RunJobs
from tests.tenants.fields.defined import EVERY_KIND, VALUES, define
from tests.tenants.retention.world import hold, release
from tests.workspace import Workspace


def test_a_conversion_carries_what_fits(own: Workspace, neighbour: Workspace) -> None:
    choices = {"kind": "choice", "choices": ["a", "b"]}
    for resource in ("leads", "contacts", "companies", "deals"):
        define(own, resource, "carried")
    define(own, "leads", "picked", **choices)
    define(own, "contacts", "picked", kind="choice", choices=["b", "c"])
    define(own, "deals", "picked", **choices)
    define(own, "leads", "counted", kind="number")
    define(own, "contacts", "counted", kind="text")
    define(own, "leads", "only_there")
    custom = {"carried": "x", "picked": "a", "counted": "1", "only_there": "y"}
    said = {"last_name": "Lead", "company_name": "Carried Ltd", "custom": custom}
    lead = own.admin.post("/leads", said).json["id"]
    done = own.admin.put(f"/leads/{lead}/conversion", {"deal": {}}).json
    assert own.admin.get(f"/contacts/{done['contact_id']}").json["custom"] == {"carried": "x"}
    assert own.admin.get(f"/companies/{done['company_id']}").json["custom"] == {"carried": "x"}
    assert own.admin.get(f"/deals/{done['deal_id']}").json["custom"] == {"carried": "x", "picked": "a"}
    assert done["custom"] == custom
    assert neighbour.admin.get(f"/contacts/{done['contact_id']}").status_code == 404


def test_what_comes_back_from_the_bin_has_its_values(own: Workspace, neighbour: Workspace) -> None:
    made = own.admin.post("/contacts", {"last_name": "Binned", "custom": VALUES}).json["id"]
    assert own.admin.delete(f"/contacts/{made}").status_code == 204
    (deleted,) = own.admin.get(f"/audit-events?record_id={made}&action=contacts.deleted").json["data"]
    assert deleted["changes"]["custom.size"] == ["M", None]
    (entry,) = own.admin.get(f"/bin?record_id={made}").json["data"]
    assert own.admin.post(f"/bin/{entry['id']}/restoration").status_code == 201
    assert own.admin.get(f"/contacts/{made}").json["custom"] == VALUES
    assert neighbour.admin.post(f"/bin/{entry['id']}/restoration").status_code == 404


@pytest.fixture(scope="module")
def leaving(new_workspace: Callable[[], Workspace]) -> Workspace:
    """A tenant with awkward values in every kind of field, and one field that is archived."""
    workspace = new_workspace()
    for name, options in EVERY_KIND.items():
        define(workspace, "contacts", name, **{**options, "label": f'=1+1 "{name}" née ﷽'})
    awkward = [
        "",
        "\\N",
        "\\.",
        '",\\N,"',
        "=HYPERLINK(1)",
        "\u0085\u2028\ufeff\x1f\x01",
        " spaces ",
        "x" * 1_000,
    ]
    for text in awkward:
        said = {"last_name": "Awkward", "custom": {**VALUES, "nickname": text, "story": text * 9}}
        assert workspace.admin.post("/contacts", said).status_code == 201
    field = define(workspace, "deals", "archived")
    assert workspace.admin.post("/deals", {"name": "D", "custom": {"archived": "kept"}}).status_code == 201
    workspace.admin.put(f"/fields/{field['id']}/archival")
    return workspace


@pytest.mark.parametrize("form", [Format.CSV, pytest.param(Format.JSONL, marks=pytest.mark.soak)])
def test_a_bundle_comes_back_equal(
    leaving: Workspace, neighbour: Workspace, nursery: Nursery, tmp_path: Path, form: Format
) -> None:
    before, others = content_of(leaving.home), content_of(neighbour.home)
    bundle = tmp_path / "bundle.zip"
    take_out(leaving.home, bundle, form)
    report = verify(bundle)
    assert report.holds, [str(each) for each in report.findings]
    assert report.rows["custom_fields"] == len(EVERY_KIND) + 1
    back = bring_in(nursery, bundle, f"fields-{form.value}").home
    assert differences(content_of(back), before) == []
    assert differences(content_of(neighbour.home), others) == []


def test_forms_for_questions_have_the_values_as_documents(
    leaving: Workspace, neighbour: Workspace, tmp_path: Path
) -> None:
    take_out(leaving.home, tmp_path / "bundle.zip", Format.JSONL)
    with zipfile.ZipFile(tmp_path / "bundle.zip") as bundle:
        rows = [json.loads(line) for line in bundle.read("data/contacts.jsonl").splitlines()]
    found = {each["custom"]["nickname"] for each in rows}
    assert {"=HYPERLINK(1)", "\\N", "", "\u0085\u2028\ufeff\x1f\x01"} <= found
    assert {key: rows[0]["custom"][key] for key in ("weight", "vip", "interests")} == {
        "weight": "12.5", "vip": True, "interests": ["boats", "=1+1"],
    }  # fmt: skip
    assert neighbour.admin.get("/contacts?custom.nickname=x").status_code == 422


@pytest.mark.promise("1-46", "RET-3")
def test_what_a_legal_hold_keeps_goes_with_no_field(
    own: Workspace, neighbour: Workspace, run_jobs: RunJobs
) -> None:
    name = "evidence"
    field = f"/fields/{define(own, 'leads', name)['id']}"
    lead = own.admin.post("/leads", {"last_name": "Held", "custom": {name: "letter"}}).json["id"]
    own.admin.put(f"{field}/archival")
    everything = hold(own)
    refused = own.admin.delete(field)
    assert (refused.status_code, refused.json["code"]) == (409, "held")
    release(own, everything)
    one = hold(own, lead, resource="leads")
    accepted = own.admin.delete(field)
    run_jobs()
    job = own.admin.get(f"/jobs/{accepted.json['id']}").json
    assert (job["status"], "legal hold" in job["error"]) == ("failed", True)
    assert own.admin.get(f"/leads/{lead}").json["custom"] == {name: "letter"}
    release(own, one)
    own.admin.delete(field)
    run_jobs()
    assert own.admin.get(field).status_code == 404
    assert own.admin.get(f"/leads/{lead}").json["custom"] == {}
    assert neighbour.admin.get(field).status_code == 404
