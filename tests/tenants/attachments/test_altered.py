"""What somebody altered where it is stored is not handed out, and is said plainly; everything else goes on."""

import pytest
from sqlalchemy import update

from crm.contacts.models import Contact
from tenants.isolation.door import db, inside
from tenants.isolation.files import files
from tests.attaching import NewWorkspace, alter, attached, listed
from tests.workspace import Workspace


def test_an_altered_file_is_refused_and_its_record_goes_on(
    new_workspace: NewWorkspace, neighbour: Workspace
) -> None:
    tenant = new_workspace()
    record = tenant.admin.post("/contacts", {"last_name": "Altered"}).json["id"]
    made = attached(tenant.admin, "contacts", record)["id"]
    sealed = alter(tenant, f"attachments/{made}")
    answer = tenant.admin.get(f"/attachments/{made}/download")
    assert (answer.status_code, answer.json["code"]) == (409, "file_altered")
    assert made in answer.json["detail"]
    assert listed(tenant.admin, record) == [made]
    assert tenant.admin.get(f"/contacts/{record}").status_code == 200
    assert neighbour.admin.get(f"/attachments/{made}/download").status_code == 404
    with inside(tenant.home):
        files().write(f"attachments/{made}", [sealed])
    assert tenant.admin.get(f"/attachments/{made}/download").status_code == 200


@pytest.mark.promise("3-30", "TEN-2")
def test_a_sealed_field_of_another_row_is_refused_and_its_neighbours_are_shown(
    new_workspace: NewWorkspace, neighbour: Workspace
) -> None:
    tenant = new_workspace()
    one, other = (
        tenant.admin.post("/contacts", {"last_name": name, "national_id": f"sealed {name}"}).json["id"]
        for name in ("One", "Other")
    )
    contacts = Contact.__table__
    with inside(tenant.home):
        moved = db().query(Contact.national_id).filter(Contact.id == one).scalar()
        db().connection().execute(
            update(contacts).where(contacts.c.id == other).values(national_id=moved)  # type: ignore[arg-type]
        )
    answer = tenant.admin.get(f"/contacts/{other}")
    assert (answer.status_code, answer.json["code"]) == (409, "altered")
    assert "One" not in answer.get_data(as_text=True)
    assert tenant.admin.get(f"/contacts/{one}").json["national_id"] == "sealed One"
    assert neighbour.admin.get(f"/contacts/{other}").status_code == 404
