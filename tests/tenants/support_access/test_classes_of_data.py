"""What a column holds decides how it is kept: a class of data is no label, it has controls."""

import json

import pytest
from sqlalchemy import select, text

from crm.contacts.models import Contact
from tenants.access.caller import SYSTEM, act_as
from tenants.audit.models import AuditEvent, AuditValues
from tenants.foundation.tables import DataClass
from tenants.http.selects import MASK
from tenants.isolation.door import db, inside
from tests.staff import Bureau
from tests.workspace import Workspace

pytestmark = pytest.mark.soak

OF_A_PERSON, SEALED, OF_THE_BUSINESS = "Geheimrat", "X-99-77", "Night shift"
SAID = {"last_name": OF_A_PERSON, "national_id": SEALED, "department": OF_THE_BUSINESS}


@pytest.mark.promise("1-04")
def test_personal_sealed_and_business_values_are_each_kept_as_their_class_wants(
    bureau: Bureau, tenant: Workspace, other: Workspace
) -> None:
    columns = Contact.__table__.c
    classes = [columns[name].info["data"] for name in SAID]
    assert classes == [DataClass.IDENTITY, DataClass.OFFICIAL_NUMBER, DataClass.BUSINESS]
    assert [each.personal for each in classes] == [True, True, False]
    contact = tenant.admin.post("/contacts", SAID).json["id"]

    visit = bureau.visit(bureau.granted(tenant))
    shown = visit.get(f"/contacts/{contact}").json
    assert [shown[name] for name in SAID] == [MASK, MASK, OF_THE_BUSINESS]
    visit.end()
    bureau.settle()

    with inside(tenant.home):
        act_as(SYSTEM, request_id="test")
        event = db().scalars(select(AuditEvent).where(AuditEvent.record_id == contact)).one()
        apart = db().scalars(select(AuditValues).where(AuditValues.event_id == event.id)).one()
        row = (
            db().execute(text("select c::text from contacts c where id = :id"), {"id": contact}).scalar_one()
        )
    assert (OF_THE_BUSINESS in json.dumps(event.changes), OF_A_PERSON in json.dumps(event.changes)) == (
        True,
        False,
    )
    assert OF_A_PERSON in json.dumps(apart.values)
    assert [value in row for value in SAID.values()] == [True, False, True]
    assert SEALED.encode().hex() not in row
    assert SEALED not in json.dumps([event.changes, apart.values])
    assert tenant.admin.get(f"/contacts/{contact}").json["national_id"] == SEALED
    assert other.admin.get(f"/contacts/{contact}").status_code == 404
