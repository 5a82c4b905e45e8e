"""Our own people sign in with two factors; what they leave behind is a receipt that can be checked anywhere."""

import csv
import io
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest

from tenants.support_access.receipts import verify_receipt
from tests.staff import Bureau, Person
from tests.tenants.support_access.test_windows_and_revoking import Later
from tests.workspace import Workspace

pytestmark = pytest.mark.soak

PASSWORD = "correct horse battery staple"


def code_of(person: Person) -> str:
    secret = parse_qs(urlsplit(str(person.made.totp)).query)["secret"][0]
    return pyotp.TOTP(secret).now()


def sign_in(person: Person, **said: str):
    body = {"email": person.made.staff.email, "password": PASSWORD, "code": code_of(person)} | said
    return person.app.test_client().post("/staff/v1/sessions", json=body)


def test_neither_password_nor_code_is_enough_and_a_code_works_once(
    bureau: Bureau, tenant: Workspace, other: Workspace
) -> None:
    person = bureau.hire("support", password=PASSWORD)
    code = code_of(person)
    wrong = "000000" if code != "000000" else "000001"
    assert sign_in(person, password="wrong password here").status_code == 401
    assert sign_in(person, code=wrong).status_code == 401
    made = sign_in(person, code=code)
    assert made.status_code == 201
    assert sign_in(person, code=code).status_code == 401
    assert bureau.ann.get("/me", token=made.json["token"]).json["email"] == person.made.staff.email
    assert person.request("DELETE", "/sessions/current", token=made.json["token"]).status_code == 204
    assert person.get("/me", token=made.json["token"]).status_code == 401
    assert person.get("/me").status_code == 200


def test_of_many_who_show_one_code_one_gets_in(bureau: Bureau, tenant: Workspace, other: Workspace) -> None:
    person = bureau.hire("support", password=PASSWORD)
    code = code_of(person)
    with ThreadPoolExecutor(5) as crew:
        statuses = [each.status_code for each in crew.map(lambda _: sign_in(person, code=code), range(5))]
    assert sorted(statuses) == [201, 401, 401, 401, 401]


def test_keys_expire(bureau: Bureau, tenant: Workspace, other: Workspace, later: Later) -> None:
    person = bureau.hire("support")
    later(timedelta(days=91))
    assert person.get("/me").status_code == 401


@pytest.mark.promise("1-02", "1-23")
def test_a_receipt_holds_anywhere_and_any_change_shows(
    bureau: Bureau, tenant: Workspace, other: Workspace, tmp_path: Path
) -> None:
    visit = bureau.visit(bureau.granted(tenant))
    for path in ("/contacts", "/contacts/count", "/companies"):
        assert visit.get(path).status_code == 200
    early = tenant.admin.get(f"/access-visits/{visit.id}/receipt")
    assert (early.status_code, early.json["code"]) == (409, "wrong_state")
    assert visit.end().status_code == 204
    bureau.settle()
    whole = tenant.admin.get(f"/access-visits/{visit.id}/receipt").json
    assert verify_receipt(whole["receipt"], whole["entries"]) == []
    listed = tenant.admin.get(f"/access-log?visit_id={visit.id}&sort=at").json["data"]
    assert listed == whole["entries"]
    shorter = whole["entries"][1:]
    changed = [whole["entries"][0] | {"record_ids": []}, *whole["entries"][1:]]
    for entries in (shorter, changed):
        assert verify_receipt(whole["receipt"], entries)
    forged = whole["receipt"] | {"statement": whole["receipt"]["statement"] | {"staff_name": "Nobody"}}
    assert verify_receipt(forged, whole["entries"])
    assert other.admin.get(f"/access-visits/{visit.id}/receipt").status_code == 404
    file = tmp_path / "receipt.json"
    for entries, status in ((whole["entries"], 0), (changed, 1)):
        file.write_text(json.dumps({"receipt": whole["receipt"], "entries": entries}))
        command = [sys.executable, "-m", "crm.cli", "access", "verify", str(file), "--json"]
        done = subprocess.run(command, capture_output=True, check=False, text=True)
        assert done.returncode == status, done.stderr
        assert json.loads(done.stdout)["holds"] is (status == 0)


@pytest.mark.parametrize("ticket", ["=1+1", "\n=1+1", "\uff1d1+1"])
def test_no_word_of_staff_is_a_formula_in_the_downloaded_log(
    bureau: Bureau, tenant: Workspace, other: Workspace, ticket: str
) -> None:
    visit = bureau.visit(bureau.granted(tenant, ticket=ticket))
    visit.get("/contacts")
    (row,) = csv.DictReader(io.StringIO(tenant.admin.get("/access-log/csv").text, newline=""))
    assert row["ticket"] == f"'{ticket}"
    assert ticket not in other.admin.get("/access-log/csv").text
    visit.end()


def test_the_log_is_filtered_and_downloaded(bureau: Bureau, tenant: Workspace, other: Workspace) -> None:
    visit = bureau.visit(bureau.granted(tenant))
    visit.get("/contacts")
    visit.get("/companies")
    answer = tenant.admin.get("/access-log/csv?resource=contacts")
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["resource"], row["staff_name"], len(row["record_ids"].split())) == ("contacts", "Support", 3)
    assert tenant.admin.get("/access-log/csv?nothing=1").status_code == 422
    assert list(csv.DictReader(io.StringIO(other.admin.get("/access-log/csv").text))) == []
    assert tenant.manager.get("/access-log").status_code == 403
    visit.end()
    bureau.settle()


def test_who_decides_is_told_by_mail_without_a_way_in(
    bureau: Bureau, tenant: Workspace, other: Workspace
) -> None:
    from sqlalchemy import select

    from tenants.access.caller import SYSTEM, act_as
    from tenants.isolation.door import db, inside
    from tenants.isolation.sealing import opened
    from tenants.mail.models import Mail

    asked = bureau.asked(tenant)
    bureau.boss.put(f"/access-grants/{asked['id']}/approval")
    with inside(tenant.home):
        act_as(SYSTEM)
        mails = [(opened(each, "address"), opened(each, "text") or "") for each in db().scalars(select(Mail))]
    told = [text for _, text in mails if asked["explanation"] in text]
    assert len(told) == 1
    assert "http" not in told[0]
    assert "T-1" in told[0]
