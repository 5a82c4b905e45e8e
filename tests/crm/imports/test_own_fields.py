"""Files in, with columns for fields that the tenant added: read by their kind, changed, refused, kept closed."""

import pytest

from tests.tenants.fields.defined import EVERY_KIND, define
from tests.tenants.identity.rights.people import somebody_who_may
from tests.uploads import upload
from tests.workspace import Workspace


@pytest.fixture(scope="module")
def ours(new_workspace) -> Workspace:
    workspace = new_workspace()
    for name, options in EVERY_KIND.items():
        define(workspace, "contacts", name, **options)
    return workspace


def imported(ours: Workspace, run_jobs, text: str, **options):
    accepted = upload(ours.admin, text, "contacts", **options)
    assert accepted.status_code == 202, accepted.json
    run_jobs()
    return ours.admin.get(accepted.headers["Location"]).json


def custom_of(ours: Workspace, email: str) -> dict[str, object]:
    (found,) = ours.admin.get(f"/contacts?email={email}").json["data"]
    return dict(found["custom"])


def test_columns_go_to_fields_by_their_kind(ours: Workspace, neighbour: Workspace, run_jobs) -> None:
    text = (
        "Surname,Email,nickname,Weight,VIP,custom.since,Last call,Size,Interests,Homepage,Private email\n"
        'A,a@own.test,"=1+1 ""x""",12.50,yes,2020-02-29,2026-03-01T10:30:00+01:00,M,'
        '"boats; art",https://example.org,z@example.org\n'
        "B,b@own.test,,,,,,,,,\n"
        "C,c@own.test,,heavy,perhaps,2021-02-29,today,XL,cars,x,y\n"
    )
    done = imported(ours, run_jobs, text)
    assert done["mapping"]["nickname"] == "custom.nickname"
    assert done["counts"] == {"rows": 3, "created": 2, "updated": 0, "skipped": 0, "rejected": 1}
    assert custom_of(ours, "a@own.test") == {
        "nickname": '=1+1 "x"', "weight": "12.5", "vip": True, "since": "2020-02-29",
        "last_call": "2026-03-01T09:30:00.000000Z", "size": "M", "interests": ["boats", "art"],
        "homepage": "https://example.org", "private_email": "z@example.org",
    }  # fmt: skip
    assert custom_of(ours, "b@own.test") == {}
    (found,) = ours.admin.get("/contacts?email=a@own.test").json["data"]
    (event,) = ours.admin.get(f"/audit-events?record_id={found['id']}&include=personal").json["data"]
    assert event["changes"]["custom.size"] == [None, "M"]
    assert event["personal"]["values"]["custom.nickname"] == [None, '=1+1 "x"']
    assert "custom.nickname" in event["personal_fields"]
    assert "custom" not in {*event["changes"], *event["personal"]["values"]}
    reasons = ours.admin.get(f"/imports/{done['id']}/rejected-rows").get_data(as_text=True)
    for said in ("Weight: ", "VIP: ", "custom.since: ", "Last call: ", "Size: ", "Interests: ", "Homepage: "):
        assert said in reasons
    assert neighbour.admin.get(f"/imports/{done['id']}").status_code == 404


def test_an_update_lays_values_over_those_that_are_there(
    ours: Workspace, neighbour: Workspace, run_jobs
) -> None:
    for email in ("u1@own.test", "u2@own.test"):
        said = {"last_name": "U", "email": email, "custom": {"nickname": "old", "size": "S"}}
        assert ours.admin.post("/contacts", said).status_code == 201
    text = "email,nickname,weight\nu1@own.test,new,1\nu2@own.test,old,\n"
    done = imported(ours, run_jobs, text, mode="update", match_on="email")
    assert done["counts"] == {"rows": 2, "created": 0, "updated": 1, "skipped": 1, "rejected": 0}
    assert custom_of(ours, "u1@own.test") == {"nickname": "new", "size": "S", "weight": "1"}
    assert custom_of(ours, "u2@own.test") == {"nickname": "old", "size": "S"}
    (found,) = ours.admin.get("/contacts?email=u1@own.test").json["data"]
    changed, _ = ours.admin.get(f"/audit-events?record_id={found['id']}&include=personal").json["data"]
    assert changed["changes"] == {"custom.weight": [None, "1"]}
    assert changed["personal"]["values"] == {"custom.nickname": ["old", "new"]}
    assert neighbour.admin.get("/contacts?email=u1@own.test").json["data"] == []


def test_records_are_recognised_by_a_field(ours: Workspace, neighbour: Workspace, run_jobs) -> None:
    for name, options in {"their_id": {}, "their_number": {"kind": "number"}}.items():
        define(ours, "contacts", name, **options)
    said = {
        "last_name": "Known",
        "email": "r@own.test",
        "custom": {"their_id": "A-1", "their_number": "12.5"},
    }
    assert ours.admin.post("/contacts", said).status_code == 201
    files = {
        "custom.their_id": "surname,their id,nickname\nKnown,a-1,Al\nNew,A-2,Bo\n",
        "custom.their_number": "surname,their number,nickname\nKnown,12.50,Cy\n",
    }
    counts = [
        imported(ours, run_jobs, text, mode="upsert", match_on=field)["counts"]
        for field, text in files.items()
    ]
    assert [(each["created"], each["updated"]) for each in counts] == [(1, 1), (0, 1)]
    assert custom_of(ours, "r@own.test") == {"their_id": "A-1", "their_number": "12.5", "nickname": "Cy"}
    for field in ("vip", "last_call", "size", "interests", "story"):
        refused = upload(
            ours.admin, f"surname,{field}\nA,\n", "contacts", mode="upsert", match_on=f"custom.{field}"
        )
        assert (refused.status_code, list(refused.json["errors"])) == (422, ["match_on"])
    assert neighbour.admin.get("/contacts?email=r@own.test").json["data"] == []


def test_a_required_field_is_asked_of_each_new_row(new_workspace, neighbour: Workspace, run_jobs) -> None:
    ours = new_workspace()
    define(ours, "contacts", "ticket", required=True)
    refused = upload(ours.admin, "surname\nA\n", "contacts")
    assert (refused.status_code, "'custom.ticket'" in str(refused.json["errors"])) == (422, True)
    done = imported(ours, run_jobs, "surname,ticket\nA,1\nB,\n")
    assert (done["counts"]["created"], done["counts"]["rejected"]) == (1, 1)
    assert upload(neighbour.admin, "surname,custom.ticket\nA,1\n", "contacts").json["unmapped"] == [
        "custom.ticket"
    ]


def test_a_field_that_goes_while_a_file_waits_stops_it_and_loses_nothing(
    ours: Workspace, neighbour: Workspace, run_jobs
) -> None:
    field = define(ours, "contacts", "passing")["id"]
    wrong = imported(ours, run_jobs, "surname,passing\nBefore,1\n,2\n")
    accepted = upload(ours.admin, "surname,passing\nAfter,1\n", "contacts")
    ours.admin.put(f"/fields/{field}/archival")
    run_jobs()
    failed = ours.admin.get(accepted.headers["Location"]).json
    assert (failed["status"], failed["counts"]["created"]) == ("failed", 0)
    assert ours.admin.delete(f"/fields/{field}").status_code == 202
    run_jobs()
    rejected = ours.admin.get(f"/imports/{wrong['id']}/rejected-rows")
    assert (rejected.status_code, "can't be empty" in rejected.get_data(as_text=True)) == (200, True)
    (before,) = ours.admin.get("/contacts?last_name[in]=Before,After").json["data"]
    assert (before["last_name"], before["custom"]) == ("Before", {})
    assert neighbour.admin.get(accepted.headers["Location"]).status_code == 404


def test_a_closed_field_is_set_by_no_file(ours: Workspace, neighbour: Workspace) -> None:
    may = {f"contacts:{action}": "all" for action in ("read", "create", "edit")} | {
        f"imports:{action}": "all" for action in ("read", "create")
    }
    for rule in ({"custom.nickname": "read"}, {"custom": "none"}):
        user = somebody_who_may(ours, may, {"contacts": rule})
        mapping = '{"a": "last_name", "b": "custom.nickname"}'
        refused = upload(user, "a,b\nA,x\n", "contacts", mapping=mapping)
        assert (refused.status_code, refused.json["code"]) == (403, "closed_field")
        guessed = upload(user, "surname,nickname\nA,x\n", "contacts")
        assert (guessed.status_code, guessed.json["unmapped"]) == (202, ["nickname"])
    assert neighbour.admin.get("/imports").status_code == 200
