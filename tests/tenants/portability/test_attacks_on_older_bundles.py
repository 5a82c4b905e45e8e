"""A bundle that calls itself older brings in nothing that one of today could not, and leaves nothing half made."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

from crm.contacts.models import Contact
from tenants.catalog.models import State, Tenant, TenantKey
from tenants.catalog.registry import Home
from tenants.foundation.clock import now
from tenants.foundation.errors import Conflict, Unavailable
from tenants.foundation.settings import Settings
from tenants.isolation.door import db, inside
from tenants.isolation.stepping import build, drop
from tenants.portability import arriving, older
from tenants.portability.arriving import bring_in
from tenants.portability.comparing import content_of
from tenants.portability.described import describe
from tenants.portability.fitting import BundleDoesNotFit, must_be_as_then
from tenants.portability.older import fill_as_of_then
from tenants.provisioning.birth import Nursery
from tenants.provisioning.revisions import Revision, steps, up_to
from tests.dying import doomed
from tests.tenants.portability.left_behind import is_nowhere
from tests.workspace import Workspace

pytestmark = pytest.mark.soak

OF_THEN = Path(__file__).parent / "of_then" / "0001.zip"
Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def package() -> dict[str, Any]:
    with zipfile.ZipFile(OF_THEN) as bundle:
        found: dict[str, Any] = json.loads(bundle.read("datapackage.json"))
    return found


@pytest.fixture(scope="module")
def then(nursery: Nursery) -> Iterator[Home]:
    """Empty tables of the first revision."""
    with nursery.claimed("of-then", "Of then") as home:
        build(nursery.owner_urls[home.cell], home.role, up_to("0001"))
        yield home
        _forget(nursery, home)


def _forget(nursery: Nursery, home: Home) -> None:
    drop(nursery.owner_urls[home.cell], home.role)
    with nursery.catalog.transaction() as session:
        session.execute(delete(TenantKey).where(TenantKey.tenant_id == home.id))
        session.execute(delete(Tenant).where(Tenant.id == home.id))


def _table(said: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [each for each in said["resources"] if each["name"] == name]
    schema: dict[str, Any] = found["schema"]
    return schema


def _field(said: dict[str, Any], table: str, name: str) -> dict[str, Any]:
    (found,) = [each for each in _table(said, table)["fields"] if each["name"] == name]
    return found  # type: ignore[no-any-return]


def _of_credentials(said: dict[str, Any]) -> None:
    keys = deepcopy(next(each for each in said["resources"] if each["name"] == "users"))
    keys |= {"name": "passwords", "path": "data/passwords.csv"}
    id_ = {"name": "user_id", "type": "string", "format": "uuid"}
    keys["schema"] = {
        "fields": [id_, {"name": "hash", "type": "string"}],
        "missingValues": ["\\N"],
        "primaryKey": ["user_id"],
    }
    said["resources"].append(keys)


def _with(table: str, name: str, **more: Any) -> Change:
    return lambda said: _table(said, table)["fields"].append({"name": name, "type": "string", **more})


def _unsealed(said: dict[str, Any]) -> None:
    field = _field(said, "contacts", "national_id")
    field |= {"contentEncoding": "hex"}
    del field["sealed"]


def _renamed(said: dict[str, Any]) -> None:
    next(each for each in said["resources"] if each["name"] == "leads")["name"] = "pg_authid"


def _gone(said: dict[str, Any]) -> None:
    said["resources"] = [each for each in said["resources"] if each["name"] != "leads"]


def _said(table: str, **more: Any) -> Change:
    return lambda said: _table(said, table).update(more)


def _points(field: str, table: str) -> list[dict[str, Any]]:
    return [{"fields": [field], "reference": {"resource": table, "fields": ["id"]}}]


BENT: dict[str, tuple[Change, str]] = {
    "brings credentials": (_of_credentials, "passwords"),
    "brings a private key": (_with("audit_signing_keys", "private_key", sealed=True), "audit_signing_keys"),
    "brings what the tables work out": (_with("contacts", "words"), "contacts"),
    "has a column that never was": (_with("contacts", "probe"), "contacts"),
    "has a column of a later revision": (
        _with("tenant_profile", "fields_version", format="uuid"),
        "tenant_profile",
    ),
    "has a table that never was": (_renamed, "leads, pg_authid"),
    "lacks a table": (_gone, "leads"),
    "calls a sealed field plain": (_unsealed, "contacts"),
    "calls a plain field sealed": (
        lambda said: _field(said, "contacts", "last_name").update(sealed=True),
        "contacts",
    ),
    "has text for a number": (
        lambda said: _field(said, "companies", "employees").update(type="string"),
        "companies",
    ),
    "has another key": (_said("contacts", primaryKey=["last_name"]), "contacts"),
    "refers to a table of nobody": (
        _said("contacts", foreignKeys=_points("company_id", "nobodys")),
        "contacts",
    ),
    "refers by a text": (_said("contacts", foreignKeys=_points("last_name", "users")), "contacts"),
    "does not name its tenant": (_said("tenant_profile", namesTenant=[]), "tenant_profile"),
    "names its tenant in other words": (_said("users", namesTenant=["email"]), "users"),
}


@pytest.mark.parametrize(("change", "named"), BENT.values(), ids=BENT.keys())
def test_a_description_that_its_revision_does_not_bear_out_is_refused(
    package: dict[str, Any], then: Home, neighbour: Workspace, change: Change, named: str
) -> None:
    bent = deepcopy(package)
    change(bent)
    with inside(then):
        must_be_as_then(describe(package))
        with pytest.raises(BundleDoesNotFit, match=rf"of revision 0001 are: {named}\.$"):
            must_be_as_then(describe(bent))
    assert neighbour.admin.get("/contacts").status_code == 200


def _rows(change: Callable[[bytes], bytes], folder: Path) -> Path:
    """The bundle with other contacts, whose sizes and hashes agree."""
    with zipfile.ZipFile(OF_THEN) as bundle:
        contents = {each: bundle.read(each) for each in bundle.namelist()}
    said = json.loads(contents["datapackage.json"])
    (contacts,) = [each for each in said["resources"] if each["name"] == "contacts"]
    changed = contents[contacts["path"]] = change(contents[contacts["path"]])
    contacts |= {"bytes": len(changed), "hash": f"sha256:{hashlib.sha256(changed).hexdigest()}"}
    with zipfile.ZipFile(file := folder / "bundle.zip", "w") as bundle:
        for name, content in {**contents, "datapackage.json": json.dumps(said).encode()}.items():
            bundle.writestr(name, content)
    return file


@pytest.fixture
def made(nursery: Nursery, monkeypatch: pytest.MonkeyPatch) -> list[Home]:
    """Whatever is built at an older revision."""
    homes: list[Home] = []

    def noted(owner_url: str | None, home: Home, *rest: Any) -> None:
        homes.append(home)
        fill_as_of_then(owner_url, home, *rest)

    monkeypatch.setattr(arriving, "fill_as_of_then", noted)
    return homes


def test_rows_that_the_tables_of_then_refuse_leave_nothing_behind(
    nursery: Nursery, neighbour: Workspace, made: list[Home], tmp_path: Path
) -> None:
    others = content_of(neighbour.home)
    file = _rows(lambda rows: rows.replace(b",1,api", b",99999999999,api"), tmp_path)
    with pytest.raises(Conflict, match="contacts: the database refused a row"):
        bring_in(nursery, file, "refused-then")
    assert len(made) == 1
    is_nowhere(nursery, "refused-then", made)
    assert content_of(neighbour.home) == others


def test_rows_that_a_later_revision_refuses_leave_nothing_behind(
    nursery: Nursery, neighbour: Workspace, made: list[Home], monkeypatch: pytest.MonkeyPatch
) -> None:
    others = content_of(neighbour.home)
    strict = "alter table contacts add constraint short check (length(last_name) < 2)"
    ahead = Revision("probe", (strict,), transactional=True)
    monkeypatch.setattr(older, "steps", lambda line, since: (*steps(line, since), ahead))
    with pytest.raises(Conflict, match=r"this program's revision: .*short"):
        bring_in(nursery, OF_THEN, "refused-later")
    assert len(made) == 1
    is_nowhere(nursery, "refused-later", made)
    assert content_of(neighbour.home) == others


def test_a_process_without_the_owners_login_says_so_and_gives_the_name_back(
    nursery: Nursery, neighbour: Workspace, made: list[Home]
) -> None:
    nursery.make_spare()
    with pytest.raises(Unavailable, match="FREEHOLD_OWNER_DATABASE_URL"):
        bring_in(replace(nursery, owner_urls={}), OF_THEN, "no-owner")
    is_nowhere(nursery, "no-owner", made)
    assert neighbour.admin.get("/contacts").status_code == 200


#: Where a process dies that brings an older bundle in.
DEATHS = (
    ("tenants.portability.older:build", "after"),
    ("tenants.portability.older:Filling.fill", "after"),
    ("tenants.portability.older:step_tenant", "before"),
    ("tenants.portability.older:step_tenant", "after"),
    ("tenants.portability.arriving:settle_as_copy", "after"),
    ("tenants.provisioning.birth:Nursery._note", "before"),
)


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_process_that_was_killed_leaves_no_half_tenant(
    nursery: Nursery, neighbour: Workspace, settings: Settings, tmp_path: Path
) -> None:
    others = content_of(neighbour.home)
    with doomed(settings, tmp_path / "doomed.log") as end:
        for at, how in DEATHS:
            end.dies("import", f"{OF_THEN} killed-here", at, how)
            home = nursery.catalog.by_slug("killed-here")
            assert home is not None
            assert home.state is State.CLAIMED, "nobody is served there"
            with nursery.catalog.transaction() as session:
                long_ago = update(Tenant).where(Tenant.id == home.id).values(claimed_at=now() - timedelta(1))
                session.execute(long_ago)
            is_nowhere(nursery, "killed-here", [home])
    arrived = bring_in(nursery, OF_THEN, "killed-here")
    with inside(arrived.home):
        assert db().scalar(select(func.count()).select_from(Contact)) == arrived.report.rows["contacts"] > 0
    assert content_of(neighbour.home) == others
