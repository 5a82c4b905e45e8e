"""Files in: contacts and companies from CSV, what was wrong with a row, and nothing of the neighbour's."""

from tests.uploads import upload
from tests.workspace import Workspace


def test_contacts_come_in_from_a_file(new_workspace, neighbour: Workspace, run_jobs) -> None:
    ours = new_workspace()
    company = ours.admin.post("/companies", {"name": "Initech"}).json["id"]
    text = (
        "First Name,Surname,E-mail,Company,Born,Mystery\n"
        "Bill,Lumbergh,bill@initech.test,INITECH,1960-02-03,x\n"
        "Peter,Gibbons,peter@initech.test,Nowhere,,y\n"
        "Milton,,milton@initech.test,,,\n"
        "Samir,Nagheenanajar,not an address,,1970-13-01,\n"
    )
    accepted = upload(ours.admin, text, "contacts")
    assert accepted.status_code == 202
    assert accepted.json["status"] == "queued"
    assert accepted.json["mapping"] == {
        "First Name": "first_name",
        "Surname": "last_name",
        "E-mail": "email",
        "Company": "company.name",
        "Born": "birthday",
        "Mystery": None,
    }
    assert accepted.json["unmapped"] == ["Mystery"]
    path = accepted.headers["Location"]
    run_jobs()
    done = ours.admin.get(path).json
    assert done["status"] == "succeeded", done
    assert done["counts"] == {"rows": 4, "created": 1, "updated": 0, "skipped": 0, "rejected": 3}
    (made,) = ours.admin.get("/contacts?include=owner").json["data"]
    assert (made["last_name"], made["company_id"], made["birthday"]) == ("Lumbergh", company, "1960-02-03")
    assert (made["source"], made["owner_id"]) == ("import", str(ours.admin.user_id))
    rejected = ours.admin.get(f"{path}/rejected-rows").get_data(as_text=True).lstrip("\ufeff").splitlines()
    assert rejected[0] == "First Name,Surname,E-mail,Company,Born,Mystery,reason"
    assert rejected[1].startswith(
        "Peter,Gibbons,peter@initech.test,Nowhere,,y,Company: There is no company 'Nowhere'."
    )
    assert rejected[2].endswith("Surname: This can't be empty.")
    assert "E-mail: Not a valid email address." in rejected[3]
    assert "Born: Not a valid date." in rejected[3]
    for answer in (
        neighbour.admin.get(path),
        neighbour.admin.get(f"{path}/rejected-rows"),
        neighbour.admin.delete(path),
    ):
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    events = ours.admin.get(f"/audit-events?record_id={made['id']}").json["data"]
    assert [each["action"] for each in events] == ["contacts.created"]
