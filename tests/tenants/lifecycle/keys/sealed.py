"""Tenants with something sealed of every kind that a test can make, and what of it opens."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, Uuid, column, func, select, table

from tenants.access.caller import SYSTEM, act_as
from tenants.catalog.registry import Home
from tenants.foundation.encryption import key_version
from tenants.isolation.door import db, inside
from tenants.isolation.files import files
from tenants.isolation.resealing import file_version, sealed_tables
from tenants.isolation.sealing import sealing_key
from tenants.mail.models import Mail
from tests.jobs import RunJobs
from tests.kms import Kms
from tests.uploads import upload
from tests.workspace import Workspace

SECRET = "Zaunkönig-4711"
IBAN = "IT60X0542811101000000123456"
ROLE = "arn:aws:iam::123456789012:role/freehold"


@dataclass
class Sealed:
    """What a tenant has sealed: records, an export, an upload with a rejected row, a mail on its way."""

    workspace: Workspace
    contact: str
    company: str
    export: str
    imported: str
    etag: str

    @property
    def home(self) -> Home:
        return self.workspace.home

    def opens(self) -> dict[str, Any]:
        """What comes out of it over HTTP."""
        admin = self.workspace.admin
        contact = admin.get(f"/contacts/{self.contact}")
        return {
            "contact": contact.json.get("national_id"),
            "etag": contact.headers.get("ETag"),
            "company": admin.get(f"/companies/{self.company}").json.get("bank_account"),
            "export": admin.get(f"/exports/{self.export}/download").data[:2],
            "rejected": SECRET in admin.get(f"/imports/{self.imported}/rejected-rows").text,
        }

    def expected(self) -> dict[str, Any]:
        return {"contact": SECRET, "etag": self.etag, "company": IBAN, "export": b"PK", "rejected": True}


def fill(workspace: Workspace, run_jobs: RunJobs) -> Sealed:
    """Seal something of every kind."""
    admin = workspace.admin
    contact = admin.post("/contacts", {"last_name": "Bird", "national_id": SECRET})
    company = admin.post(
        "/companies", {"name": "Nest", "bank_account": IBAN}, headers={"Idempotency-Key": "filled"}
    )
    export = admin.post("/exports", {}).json["id"]
    content = f"Surname,National id,Email\n,{SECRET},nobody@many.test\n"
    mapping = {"Surname": "last_name", "National id": "national_id", "Email": "email"}
    imported = upload(admin, content, "contacts", mapping=mapping).json["id"]
    run_jobs()
    with inside(workspace.home):
        act_as(SYSTEM)
        db().add(Mail(address="ann@example.test", subject="Hello", text=SECRET))
    assert contact.status_code == company.status_code == 201
    return Sealed(
        workspace, contact.json["id"], company.json["id"], export, imported, contact.headers["ETag"]
    )


_filled: dict[Home, Sealed] = {}


def filled_once(workspace: Workspace, run_jobs: RunJobs) -> Sealed:
    """A tenant that several tests look at and none changes."""
    if workspace.home not in _filled:
        _filled[workspace.home] = fill(workspace, run_jobs)
    return _filled[workspace.home]


def versions_in_use(home: Home) -> set[int]:
    """With which versions of the key the columns and files of a tenant are sealed."""
    found: set[int] = set()
    with inside(home):
        for name, names in sealed_tables():
            for each in names:
                sealed = table(name, column("id", Uuid()), column(each, LargeBinary())).c[each]
                rows = db().scalars(select(func.substr(sealed, 1, 5)).where(sealed.is_not(None)).distinct())
                found |= {key_version(bytes(row)) for row in rows}
        storage = files()
    versions = (file_version(storage, name) for name in storage.list())
    return found | {version for version in versions if version is not None}


def seals_with(home: Home) -> int:
    """The version that something sealed at this moment would have."""
    with inside(home):
        return sealing_key().version


def states(workspace: Workspace) -> dict[int, str]:
    """The versions of a tenant's key, as its admin sees them."""
    return {each["version"]: each["state"] for each in workspace.admin.get("/keys").json["versions"]}


def contact_sealed(home: Home, contact_id: str) -> bytes:
    """What is stored of a contact's sealed field."""
    with inside(home):
        sealed = table("contacts", column("id", Uuid()), column("national_id", LargeBinary()))
        return bytes(db().scalars(select(sealed.c.national_id).where(sealed.c.id == UUID(contact_id))).one())


def bring(sealed: Sealed, kms: Kms) -> str:
    """The ARN of a new key that the tenant brought."""
    arn = kms.new_key()
    kms.trusts[ROLE] = sealed.home.id.hex
    answer = sealed.workspace.admin.in_person.put("/keys/brought", {"key_arn": arn, "role_arn": ROLE})
    assert answer.status_code == 202, answer.json
    assert answer.json["brought"]["state"] == "active"
    return arn
