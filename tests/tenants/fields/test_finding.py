"""Lists filter and sort by a tenant's own fields, by the kind of each; pages follow on each other."""

import pytest

from tests.tenants.fields.defined import VALUES
from tests.workspace import Workspace


@pytest.fixture(scope="module")
def found(own: Workspace) -> dict[str, str]:
    """Three contacts of one city by what they are called: with all values, with others, without any."""
    others = {
        "nickname": "Arthur", "weight": "100", "vip": False, "since": "2021-01-01", "size": "S",
        "last_call": "2026-04-01T00:00:00Z", "interests": ["art"], "story": "50%_off",
    }  # fmt: skip
    made = {"all": VALUES, "others": others, "none": {}}
    return {
        own.admin.post("/contacts", {"last_name": name, "city": "Found", "custom": custom}).json["id"]: name
        for name, custom in made.items()
    }


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("custom.nickname=Arthur", "others"),
        ("custom.nickname[ne]=Arthur", "all none"),
        ("custom.nickname[in]=Arthur,Nobody", "others"),
        ("custom.nickname[contains]=ZAPH", "all"),
        ("custom.story[contains]=%_", "others"),
        ("custom.nickname[is_null]=true", "none"),
        ("custom.weight=12.50", "all"),
        ("custom.weight[gte]=12.5", "all others"),
        ("custom.weight[gt]=12.5", "others"),
        ("custom.weight[lt]=99", "all"),
        ("custom.vip=true", "all"),
        ("custom.vip[ne]=true", "others none"),
        ("custom.since[lte]=2020-12-31", "all"),
        ("custom.since=2021-01-01", "others"),
        ("custom.last_call[gt]=2026-03-01T10:30:00%2B01:00", "others"),
        ("custom.last_call=2026-03-01T10:30:00%2B01:00", "all"),
        ("custom.size=M", "all"),
        ("custom.size[in]=M,S", "all others"),
        ("custom.interests=boats", "all"),
        ("custom.interests=art", "others"),
        ("custom.interests[is_null]=true", "none"),
        ("custom.homepage=https://example.org/a?b%3Dc", "all"),
        ("custom.private_email[is_null]=false", "all"),
        ("custom.size=M&custom.vip=true&custom.weight[lte]=13", "all"),
        ("custom.size=M&custom.vip=false", ""),
    ],
)
def test_filters_ask_by_the_kind_of_a_field(
    own: Workspace, neighbour: Workspace, found: dict[str, str], question: str, expected: str
) -> None:
    answer = own.admin.get(f"/contacts?city=Found&{question}")
    assert answer.status_code == 200, answer.json
    assert {found[each["id"]] for each in answer.json["data"]} == set(expected.split())
    assert neighbour.admin.get(f"/contacts?{question}").status_code == 422


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("custom.weight", "all others none"),
        ("-custom.weight", "others all none"),
        ("custom.nickname", "others all none"),
        ("-custom.since", "others all none"),
        ("custom.vip,last_name", "others all none"),
        ("-custom.last_call,last_name", "others all none"),
    ],
)
def test_lists_are_sorted_and_pages_follow(
    own: Workspace, neighbour: Workspace, found: dict[str, str], key: str, expected: str
) -> None:
    names, cursor = [], ""
    for _ in range(3):
        page = own.admin.get(f"/contacts?city=Found&sort={key}&limit=1{cursor}").json
        names += [found[each["id"]] for each in page["data"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert names == expected.split()
    assert page["next_cursor"] is None
    assert neighbour.admin.get(f"/contacts?sort={key}").status_code == 422


@pytest.mark.parametrize(
    ("question", "named"),
    [
        ("custom=x", "custom"),
        ("custom.nothing=x", "custom.nothing"),
        ("custom.=x", "custom."),
        ("custom.weight=x", "custom.weight"),
        ("custom.since=x", "custom.since"),
        ("custom.weight[contains]=1", "custom.weight[contains]"),
        ("custom.interests[gt]=a", "custom.interests[gt]"),
        ("custom.interests=cars", "custom.interests"),
        ("custom.vip[gt]=true", "custom.vip[gt]"),
        ("custom.nickname=a%00", "custom.nickname"),
        ("custom.nickname=a&custom.nickname=b", "custom.nickname"),
        ("custom.a'b=x", "custom.a'b"),
        ("sort=custom.nothing", "sort"),
        ("sort=custom.interests", "sort"),
        ("sort=custom", "sort"),
    ],
)
def test_questions_that_make_no_sense_are_refused_by_name(
    own: Workspace, neighbour: Workspace, question: str, named: str
) -> None:
    for client in (own.admin, neighbour.admin):
        refused = client.get(f"/contacts?{question}")
        assert (refused.status_code, list(refused.json["errors"])) == (422, [named])


def test_a_new_field_can_be_asked_for_at_once(own: Workspace, neighbour: Workspace) -> None:
    for number in range(3):
        name = f"fresh_{number}"
        assert own.admin.get(f"/contacts?custom.{name}=x").status_code == 422
        body = {"resource": "contacts", "name": name, "label": name, "kind": "text"}
        assert own.admin.post("/fields", body).status_code == 201
        for reader in (own.admin, own.sales):
            assert reader.get(f"/contacts?custom.{name}=x").status_code == 200
    assert neighbour.admin.get("/contacts?custom.fresh_1=x").status_code == 422
