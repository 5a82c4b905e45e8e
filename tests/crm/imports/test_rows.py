"""What becomes of rows: made, changed, skipped or rejected, and none of it beyond the caller's reach."""

from collections.abc import Callable

import pytest

from tenants.http.spreadsheets import harmless
from tests.uploads import brought_in, rejected, upload
from tests.workspace import Workspace

RunJobs = Callable[[], int]


@pytest.fixture(scope="module")
def ours(new_workspace: Callable[[], Workspace]) -> Workspace:
    return new_workspace()


def counts(done, **others):
    return {"rows": 0, "created": 0, "updated": 0, "skipped": 0, "rejected": 0} | others == done["counts"]


def test_an_upsert_makes_changes_skips_and_rejects(ours, neighbour, run_jobs: RunJobs) -> None:
    known = ours.admin.post(
        "/contacts", {"last_name": "Waddams", "email": "milton@initech.test", "city": "Austin"}
    ).json
    same = ours.admin.post("/contacts", {"last_name": "Smykowski", "email": "tom@initech.test"}).json
    neighbour.admin.post("/contacts", {"last_name": "Theirs", "email": "new@initech.test"})
    text = (
        "Surname,Email,City,National id\n"
        "Waddams,MILTON@initech.test,Dallas,S-1\n"
        "Smykowski,tom@initech.test,,\n"
        "Newman,new@initech.test,Waco,S-2\n"
        "Newer,new@initech.test,,\n"
    )
    done = brought_in(ours.admin, run_jobs, text, "contacts", mode="upsert", match_on="email")
    assert counts(done, rows=4, created=1, updated=1, skipped=1, rejected=1), done
    changed = ours.admin.get(f"/contacts/{known['id']}").json
    assert (changed["city"], changed["version"], changed["email"]) == ("Dallas", 2, "milton@initech.test")
    assert changed["national_id"] == "S-1"
    assert ours.admin.get(f"/contacts/{same['id']}").json["version"] == 1
    (new,) = ours.admin.get("/contacts?last_name=Newman").json["data"]
    assert new["national_id"] == "S-2"
    assert rejected(ours.admin, done) == ["Newer,new@initech.test,,,Email: The same as in row 3."]
    events = ours.admin.get(f"/audit-events?record_id={known['id']}").json["data"]
    assert sorted(each["action"] for each in events) == ["contacts.changed", "contacts.created"]


def test_update_changes_only_what_is_there(ours, neighbour, run_jobs: RunJobs) -> None:
    text = "Name,Sector\nNobody,retail\n"
    done = brought_in(ours.admin, run_jobs, text, "companies", mode="update", match_on="name")
    assert counts(done, rows=1, rejected=1), done
    assert rejected(ours.admin, done) == ["Nobody,retail,Name: No company has this value."]


def test_create_with_a_field_to_recognise_by_leaves_alone_what_is_there(
    ours, neighbour, run_jobs: RunJobs
) -> None:
    ours.admin.post("/companies", {"name": "Chotchkie's"})
    done = brought_in(ours.admin, run_jobs, "Name\nchotchkie's\nFlinger's\n", "companies", match_on="name")
    assert counts(done, rows=2, created=1, skipped=1), done


def test_a_dry_run_says_what_would_be_and_does_nothing(ours, neighbour, run_jobs: RunJobs) -> None:
    text = "Name,Parent company\nChild of dry,Dry\nDry,\nLost,Nowhere\n"
    done = brought_in(ours.admin, run_jobs, text, "companies", dry_run="true")
    assert counts(done, rows=3, created=2, rejected=1), done
    assert ours.admin.get("/companies?q=dry").json["data"] == []


def test_a_parent_may_stand_below_its_child(ours, neighbour, run_jobs: RunJobs) -> None:
    text = "Name,Parent company\nLeaf,Branch\nBranch,Root\nRoot,\nStray,Nowhere\nOwn,Own\n"
    done = brought_in(ours.admin, run_jobs, text, "companies")
    assert counts(done, rows=5, created=3, rejected=2), done
    found = {
        each["name"]: each for each in ours.admin.get("/companies?include=parent&limit=200").json["data"]
    }
    assert found["Leaf"]["parent"]["name"] == "Branch"
    assert found["Branch"]["parent"]["name"] == "Root"
    assert rejected(ours.admin, done)[0] == "Stray,Nowhere,Parent company: There is no company 'Nowhere'."


def test_nobody_imports_beyond_their_reach(ours, neighbour, run_jobs: RunJobs) -> None:
    assert upload(ours.sales, "Name\nA\n", "companies").status_code == 403
    assert upload(ours.read_only, "Name\nA\n", "companies").status_code == 403
    theirs = ours.sales_elsewhere.post(
        "/contacts", {"last_name": "Elsewhere", "email": "else@where.test"}
    ).json
    text = "Surname,Email,City,Owner\nMine,,Rome,Sales\nElsewhere,else@where.test,Oslo,\nGiven,,Bonn,Sales-Elsewhere\n"
    done = brought_in(ours.manager, run_jobs, text, "contacts", mode="upsert", match_on="email")
    assert counts(done, rows=3, created=1, rejected=2), done
    assert ours.admin.get(f"/contacts/{theirs['id']}").json["city"] is None
    reasons = rejected(ours.manager, done)
    assert reasons[0].endswith("You may not change this contact.")
    assert reasons[1].endswith("You may not add this contact for that owner.")


def test_what_the_database_refuses_is_one_row_and_not_the_file(ours, neighbour, run_jobs: RunJobs) -> None:
    text = "Name,Deal id,Amount\n" + "".join(f"Deal {n},R-{n},{n}.50\n" for n in range(40)) + "Twice,r-7,1\n"
    mapping = {"Name": "name", "Deal id": "reference", "Amount": "amount"}
    done = brought_in(ours.admin, run_jobs, text, "deals", mapping=mapping)
    assert counts(done, rows=41, created=40, rejected=1), done
    again = brought_in(ours.admin, run_jobs, text, "deals", mapping=mapping)
    assert counts(again, rows=41, rejected=41), again
    (first,) = ours.admin.get("/deals?reference=R-3").json["data"]
    assert first["amount"] == {"amount": "3.50", "currency": "EUR"}
    assert len(ours.admin.get(f"/deals/{first['id']}/stage-changes").json["data"]) == 1


@pytest.mark.promise("EXP-5")
def test_rejected_rows_hold_no_formula(ours, neighbour, run_jobs: RunJobs) -> None:
    text = 'Surname,Email\n"=HYPERLINK(""http://evil"")",not one\n@SUM(A1),nor this\n-5,nor that\n'
    done = brought_in(ours.admin, run_jobs, text, "contacts")
    lines = rejected(ours.admin, done)
    assert lines[0].startswith("\"'=HYPERLINK(")
    assert lines[1].startswith("'@SUM(A1),")
    assert lines[2].startswith("-5,")


def test_an_import_that_is_cancelled_changes_nothing_more(ours, neighbour, run_jobs: RunJobs) -> None:
    accepted = upload(ours.admin, "Name\nNever made\n", "companies")
    path = accepted.headers["Location"]
    assert neighbour.admin.delete(path).status_code == 404
    assert ours.admin.delete(path).status_code == 204
    run_jobs()
    assert ours.admin.get(path).json["status"] == "cancelled"
    assert ours.admin.get("/companies?name=Never made").json["data"] == []
    assert ours.admin.delete(path).status_code == 409


def test_the_same_upload_with_one_key_is_one_import(ours, neighbour, run_jobs: RunJobs) -> None:
    first, second = (
        upload(ours.admin, "Name\nOnce\n", "companies", headers={"Idempotency-Key": "k1"}) for _ in range(2)
    )
    assert first.json["id"] == second.json["id"]
    other = upload(ours.admin, "Name\nTwice\n", "companies", headers={"Idempotency-Key": "k1"})
    assert (other.status_code, other.json["code"]) == (422, "key_reused")
    run_jobs()
    assert len(ours.admin.get("/companies?name=Once").json["data"]) == 1


@pytest.mark.parametrize("text", ["\n=2", "\uff1d1+1", "\uff0b1", "\uff0d1+1", "\uff20SUM(A1)", "\t=1"])
def test_no_spelling_of_a_formula_is_left_as_it_was(text: str) -> None:
    assert harmless(text) == f"'{text}"


LOOKED_UP = ("owner.email", "owner.name", "product.name", "stage.name", "company.name")


def test_related_records_are_looked_up_and_what_is_not_found_rejects_the_row(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs
) -> None:
    workspace = new_workspace()
    admin, foreign = workspace.admin, neighbour.admin.get(f"/users/{neighbour.sales.user_id}").json["email"]
    seller = admin.get(f"/users/{workspace.sales.user_id}").json
    stage = admin.get("/stages").json["data"][0]
    known = {
        "owner.email": seller["email"].upper(),
        "owner.name": seller["name"],
        "product.name": admin.post("/products", {"name": "GTX Pro"}).json["name"],
        "stage.name": stage["name"],
        "company.name": admin.post("/companies", {"name": "Initech"}).json["name"],
    }
    for path in LOOKED_UP:
        mapping = {"Name": "name", "Which": path}
        unknown = foreign if path == "owner.email" else "None such"
        text = f"Name,Which\nGood {path},{known[path]}\nBad {path},{unknown}\n"
        done = brought_in(admin, run_jobs, text, "deals", mapping=mapping)
        assert counts(done, rows=2, created=1, rejected=1), (path, done)
        assert f"'{unknown}'" in rejected(admin, done)[0], path
    deals = {each["name"]: each for each in admin.get("/deals?limit=200").json["data"]}
    assert {deals[f"Good {path}"]["owner_id"] for path in LOOKED_UP[:2]} == {seller["id"]}
    assert deals["Good stage.name"]["stage_id"] == stage["id"]
