"""What a lead becomes has what is required of it, and shows nobody what is closed to them in the lead."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.tenants.fields.defined import define
from tests.tenants.identity.rights.people import somebody_who_may
from tests.workspace import Client, Workspace

MAY = {
    f"{each}:{act}": "all"
    for each in ("leads", "contacts", "companies", "deals")
    for act in ("read", "create")
}
MAY |= {"leads:convert": "all", "fields:read": "all", "pipelines:read": "all"}
NEEDED = ["This field needs a value."]


@pytest.fixture(scope="module")
def strict(new_workspace: Callable[[], Workspace]) -> Workspace:
    """A tenant that asks for values of contacts, companies and deals; leads have the first of them as well."""
    workspace = new_workspace()
    define(workspace, "leads", "region")
    for resource in ("contacts", "companies", "deals"):
        define(workspace, resource, "region", required=True)
    define(workspace, "contacts", "size", kind="choice", choices=["S", "M"], required=True)
    return workspace


@pytest.fixture(scope="module")
def telling(new_workspace: Callable[[], Workspace]) -> Workspace:
    """A tenant with a field that leads and what they become have alike."""
    workspace = new_workspace()
    for resource in ("leads", "contacts", "companies", "deals"):
        define(workspace, resource, "rumour")
    return workspace


def lead_of(tenant: Workspace, **said: Any) -> str:
    made = tenant.admin.post("/leads", {"last_name": "Lead", **said})
    assert made.status_code == 201, made.json
    return str(made.json["id"])


def converted(client: Client, lead: str, **said: Any) -> Any:
    return client.put(f"/leads/{lead}/conversion", said)


def counted(tenant: Workspace) -> dict[str, int]:
    return {
        each: len(tenant.admin.get(f"/{each}").json["data"]) for each in ("contacts", "companies", "deals")
    }


def read(client: Client, done: Any) -> dict[str, Any]:
    """What a lead became, as the client sees it."""
    parts = {"contact": "contacts", "company": "companies", "deal": "deals"}
    found = {part: done[f"{part}_id"] for part in parts}
    return {part: client.get(f"/{parts[part]}/{each}").json for part, each in found.items() if each}


def test_every_required_field_that_would_have_no_value_is_named_and_nothing_is_made(
    strict: Workspace, neighbour: Workspace
) -> None:
    before, lead = counted(strict), lead_of(strict, company_name="Strict Ltd")
    refused = converted(strict.admin, lead, deal={})
    assert refused.status_code == 422
    wanted = ("contact.custom.region", "contact.custom.size", "company.custom.region", "deal.custom.region")
    assert refused.json["errors"] == dict.fromkeys(wanted, NEEDED)
    assert counted(strict) == before
    assert strict.admin.get(f"/leads/{lead}").json["state"] == "open"
    assert converted(neighbour.admin, lead).status_code == 404


def test_what_is_said_is_laid_over_what_the_lead_has(strict: Workspace, neighbour: Workspace) -> None:
    lead = lead_of(strict, company_name="Said Ltd", custom={"region": "north"})
    assert list(converted(strict.admin, lead).json["errors"]) == ["contact.custom.size"]
    wrong = converted(strict.admin, lead, contact={"custom": {"size": "XXL", "nothing": 1}})
    assert sorted(wrong.json["errors"]) == ["contact.custom.nothing", "contact.custom.size"]
    taken = converted(strict.admin, lead, contact={"custom": {"size": "S", "region": None}})
    assert list(taken.json["errors"]) == ["contact.custom.region"]
    parts = {"contact": {"custom": {"size": "M"}}, "deal": {"custom": {"region": "south"}}}
    done = converted(strict.admin, lead, **parts)
    assert done.status_code == 200, done.json
    found = {part: each["custom"] for part, each in read(strict.admin, done.json).items()}
    assert found == {
        "contact": {"region": "north", "size": "M"}, "company": {"region": "north"}, "deal": {"region": "south"},
    }  # fmt: skip
    assert neighbour.admin.get(f"/contacts/{done.json['contact_id']}").status_code == 404


def test_a_company_that_is_there_is_asked_for_nothing_and_takes_nothing(
    strict: Workspace, neighbour: Workspace
) -> None:
    company = strict.admin.post("/companies", {"name": "There Ltd", "custom": {"region": "east"}}).json["id"]
    lead = lead_of(strict, company_name="There Ltd", custom={"region": "north"})
    said = {"contact": {"custom": {"size": "M"}}}
    refused = converted(strict.admin, lead, **said, company={"custom": {"region": "west"}})
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["company"])
    done = converted(strict.admin, lead, **said).json
    assert done["company_id"] == company
    assert strict.admin.get(f"/companies/{company}").json["custom"] == {"region": "east"}
    assert neighbour.admin.get(f"/companies/{company}").status_code == 404


@pytest.mark.parametrize("closed", ["custom.rumour", "custom"])
def test_a_value_that_is_hidden_in_leads_stays_behind(
    telling: Workspace, neighbour: Workspace, closed: str
) -> None:
    caller = somebody_who_may(telling, MAY, {"leads": {closed: "none"}})
    lead = lead_of(telling, company_name=f"Rumour {closed}", custom={"rumour": "secret"})
    done = converted(caller, lead, deal={})
    assert done.status_code == 200, done.json
    for client in (caller, telling.admin):
        assert [each["custom"] for each in read(client, done.json).values()] == [{}, {}, {}]
    assert telling.admin.get(f"/leads/{lead}").json["custom"] == {"rumour": "secret"}
    assert neighbour.admin.get(f"/leads/{lead}").status_code == 404


def test_a_value_that_is_hidden_there_too_goes_along_and_one_that_is_fixed_is_read(
    telling: Workspace, neighbour: Workspace
) -> None:
    both = {each: {"custom.rumour": "none"} for each in ("leads", "contacts")}
    fixed = {"leads": {"custom.rumour": "read"}}
    has = {"rumour": "secret"}
    for rules, company, seen in ((both, {}, {}), (fixed, has, has)):
        caller = somebody_who_may(telling, MAY, rules)
        lead = lead_of(telling, company_name=f"Both {len(rules)}", custom=has)
        done = converted(caller, lead).json
        found = read(telling.admin, done)
        assert (found["contact"]["custom"], found["company"]["custom"]) == (has, company)
        assert read(caller, done)["contact"]["custom"] == seen
        assert neighbour.admin.get(f"/contacts/{done['contact_id']}").status_code == 404


def test_fields_that_every_tenant_has_stay_behind_as_well(telling: Workspace, neighbour: Workspace) -> None:
    closed = ("email", "company_name", "first_name")
    caller = somebody_who_may(telling, MAY, {"leads": dict.fromkeys(closed, "none")})
    said = {"first_name": "Ann", "email": "ann@secret.test", "company_name": "Secret Ltd", "phone": "1"}
    done = converted(caller, lead_of(telling, **said), deal={})
    assert done.status_code == 200, done.json
    found = read(telling.admin, done.json)
    assert list(found) == ["contact", "deal"]
    assert [found["contact"][each] for each in ("first_name", "last_name", "email", "phone")] == [
        None, "Lead", None, "1",
    ]  # fmt: skip
    assert found["deal"]["name"] == "Lead"
    assert neighbour.admin.get("/companies?name=Secret Ltd").json["data"] == []


def test_whoever_may_not_see_what_a_person_is_called_makes_no_contact_of_them(
    telling: Workspace, neighbour: Workspace
) -> None:
    caller = somebody_who_may(telling, MAY, {"leads": {"last_name": "none"}})
    before, lead = counted(telling), lead_of(telling, company_name="Unnamed Ltd")
    refused = converted(caller, lead)
    assert (refused.status_code, refused.json["code"]) == (403, "closed_field")
    assert list(refused.json["errors"]) == ["last_name"]
    assert counted(telling) == before
    assert converted(neighbour.admin, lead).status_code == 404


def test_nobody_says_a_value_that_is_closed_to_them(telling: Workspace, neighbour: Workspace) -> None:
    caller = somebody_who_may(telling, MAY, {"contacts": {"custom.rumour": "read"}})
    lead = lead_of(telling)
    refused = converted(caller, lead, contact={"custom": {"rumour": "mine"}})
    assert (refused.status_code, list(refused.json["errors"])) == (403, ["contact.custom.rumour"])
    assert telling.admin.get(f"/leads/{lead}").json["state"] == "open"
    assert converted(neighbour.admin, lead).status_code == 404
