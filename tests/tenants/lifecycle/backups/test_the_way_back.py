"""A backup comes back equal, without whoever was erased or destroyed since it was taken."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from crm.app import owners_of
from tenants.catalog.models import State
from tenants.catalog.states import Mover
from tenants.foundation.settings import Settings
from tenants.isolation.files import stored_files
from tenants.isolation.storage import storage_from
from tenants.lifecycle.backups.keyring import keyring
from tenants.lifecycle.backups.opening import backups
from tenants.lifecycle.backups.store import Page, Store
from tenants.lifecycle.backups.taking import Taken, _Work
from tenants.lifecycle.certificates.issuing import IN_BACKUPS
from tenants.lifecycle.changing import Decision, move, seal_whole
from tenants.lifecycle.keys.destruction import Destruction
from tenants.lifecycle.keys.versions import key_versions
from tests.attaching import attach
from tests.elsewhere import Elsewhere
from tests.jobs import RunJobs
from tests.tenants.lifecycle.keys.sealed import IBAN, SECRET, Sealed, fill
from tests.workspace import Workspace

#: Each command is a process that loads the whole program.
pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]

WHO = {"decided_by": "ada@example.test", "reason": "The contract ended."}


def destroy(workspace: Workspace, settings: Settings) -> dict[str, Any]:
    """Its certificate."""
    slug = workspace.admin.get("/me").json["tenant"]["slug"]
    owners, catalog = owners_of(settings), key_versions().catalog
    move(catalog, owners, workspace.home, State.CLOSING, Decision(Mover.PLATFORM, "It leaves."))
    made = Destruction(key_versions(), storage_from(settings.storage), owners).destroy(slug, **WHO)
    said: dict[str, Any] = made["certificate"]
    return said


def erase(workspace: Workspace, contact: str, run_jobs: RunJobs) -> None:
    """Past the bin, and noted."""
    assert workspace.admin.delete(f"/contacts/{contact}").status_code == 204
    (entry,) = [each for each in workspace.admin.get("/bin").json["data"] if each["record_id"] == contact]
    assert workspace.admin.in_person.delete(f"/bin/{entry['id']}").status_code == 204
    run_jobs()


def seal_between(sealed: Sealed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the audit sealed after a tenant was copied and before the catalog is."""
    copy_catalog = _Work._copy_catalog

    def sealed_meanwhile(work: _Work) -> set[str]:
        seal_whole(key_versions().catalog, sealed.home)
        return copy_catalog(work)

    monkeypatch.setattr(_Work, "_copy_catalog", sealed_meanwhile)


def files_are_there(sealed: Sealed, place: Elsewhere, brought: int) -> None:
    files, there = stored_files(sealed.home.id), place.folder / "storage" / sealed.home.role
    names = [name for name in files.list() if not name.startswith("exports/")]
    assert brought > len(names) == 1, "the attachment of whoever was erased came back, and went with them"
    assert [each.name for each in (there / "attachments").iterdir()] == [Path(names[0]).name]
    for name in names:
        with files.open_stream(name) as chunks:
            assert (there / name).read_bytes() == b"".join(chunks)


def no_key_is_in(store: Store, page: Page, destroyed: Sealed, keys_then: dict[int, bytes]) -> None:
    """With everything at hand that there still is, nothing sealed of a destroyed tenant opens."""
    assert keyring().wrapped_keys(destroyed.home.id) == {}
    assert keys_then
    index = store.index(page)
    with store.opened(page.id, "catalog", index["catalog"]) as chunks:
        catalog = b"".join(chunks)
    assert str(destroyed.home.id).encode() in catalog
    assert not any(wrapped.hex().encode() in catalog for wrapped in keys_then.values())
    with store.bundle(page.id, destroyed.home.role, index["bundles"][str(destroyed.home.id)]) as bundle:
        for table in bundle.described.tables:
            content = bundle.open(table.file.path).read()
            assert SECRET.encode() not in content
            assert IBAN.encode() not in content


def names_the_day(certificate: dict[str, Any], page: Page, settings: Settings) -> None:
    """The day from which no backup from before opens is the one that the keyring has written down."""
    (until,) = [each["until"] for each in certificate["remains"] if each["what"] == IN_BACKUPS]
    end = date.fromisoformat(page.key_day) + timedelta(days=settings.backup_days)
    assert until == page.key_destroyed_on == keyring().last_end().isoformat() == end.isoformat()


@pytest.mark.promise("1-47", "RET-4", "RET-5", "TEN-2")
def test_it_comes_back_equal_and_without_whoever_is_gone(  # noqa: PLR0917 - two installations
    of_no_shared_tenant: None,
    new_workspace: Callable[[], Workspace],
    settings: Settings,
    take: Callable[[], Taken],
    elsewhere: Callable[[], Elsewhere],
    run_jobs: RunJobs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stays, leaves = fill(new_workspace(), run_jobs), fill(new_workspace(), run_jobs)
    person = stays.workspace.admin.post(
        "/contacts", {"last_name": "Gone", "email": "gone@example.test"}
    ).json["id"]
    for record in (stays.contact, person):
        assert attach(stays.workspace.admin, "contacts", record).status_code == 201
    assert attach(leaves.workspace.admin, "contacts", leaves.contact).status_code == 201
    seal_between(stays, monkeypatch)
    page = take().page
    keys_then = dict(key_versions().catalog.wrapped_keys(leaves.home.id))
    erase(stays.workspace, person, run_jobs)
    certificate = destroy(leaves.workspace, settings)
    names_the_day(certificate, page, settings)
    assert list(backups().place.list(f"files/{leaves.home.id.hex}/")) == []

    place = elsewhere()
    found = place.restore(page.id)
    assert (found["destroyed_again"], found["erased_again"]) == (1, 1)
    kept = place.rows("select id from contacts", schema=stays.home.role)
    assert kept == [(UUID(stays.contact),)], "the other one was erased after the backup"
    values = (
        "select count(*) from audit_values v join audit_events e on v.event_id = e.id where e.record_id = %s"
    )
    assert place.rows(values, person, schema=stays.home.role) == [(0,)]
    tenant = "select state, slug is null from tenants where id = %s"
    assert place.rows(tenant, leaves.home.id) == [("destroyed", True)]
    assert place.rows(tenant, stays.home.id) == [("active", False)]
    assert place.rows("select to_regnamespace(%s) is null", leaves.home.role) == [(True,)]

    heads = place.rows("select max(sequence) from audit_heads where tenant_id = %s", stays.home.id)
    assert heads == place.rows("select max(sequence) from audit_seals", schema=stays.home.role)

    files_are_there(stays, place, found["files_brought_back"])
    no_key_is_in(backups(), page, leaves, keys_then)
    refused = place.run("backup", "restore", page.id, "--adopt")
    assert refused.returncode == 1
    assert "This installation is not empty" in refused.stderr
