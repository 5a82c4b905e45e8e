"""A tenant that chose a region never leaves it: neither its tables nor its files."""

import secrets
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from tenants.catalog.models import State, Tenant
from tenants.catalog.regions import Regions
from tenants.foundation.errors import Conflict, Invalid
from tenants.identity.founding import Founder
from tenants.isolation import files
from tenants.isolation.files import stored_files
from tenants.isolation.regional import RegionalStorage
from tenants.isolation.storage import StorageFailed, storage_from
from tenants.lifecycle.archives.keeping import ask_to_archive, ask_to_thaw
from tenants.lifecycle.archives.keeping import go_on as keep_going
from tenants.lifecycle.archives.running import Works as Archiving
from tenants.lifecycle.certificates.filing import file_what_is_missing
from tenants.lifecycle.certificates.issuing import certificates
from tenants.lifecycle.moves.moving import ask_to_move, go_on
from tenants.lifecycle.moves.running import Works
from tenants.portability.arriving import bring_in
from tenants.portability.formats import Format
from tenants.portability.taking_out import take_out
from tenants.provisioning.birth import Nursery
from tests.attaching import attach, attached
from tests.jobs import RunJobs
from tests.tenants.lifecycle.archives.archived import WHY as QUIET
from tests.tenants.lifecycle.moves.world import WHY, schemas
from tests.workspace import Client, Workspace

pytestmark = pytest.mark.soak

REGIONS = Regions({"main": "eu", "second": "us"})
BODY = {"company": "Acme", "name": "Ada", "email": "ada@acme.test", "password": "correct horse 9 battery"}


@pytest.fixture
def two_regions(works: Works, nursery: Nursery) -> Nursery:
    """Makes tenants in two cells, each of a region of its own."""
    return Nursery(nursery.catalog, nursery.wrapper, nursery.head, dict(works.owners), REGIONS)


@pytest.fixture
def regional(works: Works, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Storage of its own for `us`, beside that of `eu`; the folder of both."""
    in_us = {"us": storage_from((tmp_path / "us").as_uri())}
    main = storage_from((tmp_path / "eu").as_uri())
    both = RegionalStorage(main, in_us, works.catalog.region_of, home="eu")
    monkeypatch.setattr(files, "_storage", [both])
    return tmp_path


def opened(app: Flask, nursery: Nursery, cell: str | None, region: str | None) -> Workspace:
    founder = Founder("Rita", api_key=True)
    home, founding = nursery.open(f"r-{secrets.token_hex(4)}", "Rita's", founder, cell, region)
    return Workspace(home, {"admin": Client(app.test_client(), founding.api_key or "", founding.user_id)})


def kept_in(folder: Path, tenant: Workspace) -> set[str]:
    """The kinds of files that it has there."""
    its = folder / tenant.home.role
    return {each.relative_to(its).parts[0] for each in its.rglob("*") if each.is_file()}


def test_sign_up_chooses_a_region_of_those_there_are(
    app: Flask, neighbour: Workspace, two_regions: Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.extensions, "nursery", two_regions)
    flask = app.test_client()
    slug = f"r-{secrets.token_hex(4)}"
    wrong = flask.post("/api/v1/signup", json={**BODY, "slug": slug, "region": "mars"})
    assert (wrong.status_code, wrong.json["errors"]["region"]) == (422, ["Choose one of: eu, us."])
    made = flask.post("/api/v1/signup", json={**BODY, "slug": slug, "region": "us"})
    assert made.status_code == 201, made.json
    home = two_regions.catalog.by_slug(slug)
    assert home is not None
    assert home.cell == "second"
    assert flask.get("/api/v1/tenant-state").json["region"] == "us"
    assert neighbour.admin.get("/tenant-state").json["region"] is None


def test_what_chose_a_region_never_leaves_it(
    app: Flask, neighbour: Workspace, two_regions: Nursery, works: Works, regional: Path, run_jobs: RunJobs
) -> None:
    tenant = opened(app, two_regions, None, "us")
    works = Works(works.catalog, works.owners, works.head, REGIONS)
    with pytest.raises(Conflict, match="never leaves it"):
        ask_to_move(works, tenant.home.id, "main", WHY)
    with pytest.raises(Conflict, match="never leaves it"):
        two_regions.open(f"r-{secrets.token_hex(4)}", "Lost", Founder("Lost"), "main", "us")
    assert schemas(works, tenant) == {"second"}
    contact = tenant.admin.post("/contacts", {"last_name": "Ng"}).json["id"]
    attached(tenant.admin, "contacts", contact)
    tenant.admin.post("/exports", {})
    run_jobs()
    assert kept_in(regional / "us", tenant) == {"attachments", "exports"}
    assert kept_in(regional / "eu", tenant) == set()
    certificates().begin(tenant.home.id, "versions of the data key", {"data_key_versions": []})
    certificates().issue(tenant.home.id, "versions of the data key", decided_by="an admin of the tenant")
    file_what_is_missing(certificates(), files._storage[0])
    certified = [each.relative_to(regional).parts[0] for each in regional.rglob(f"{tenant.home.id}/*.json")]
    assert certified == ["us"]
    assert neighbour.admin.get(f"/contacts/{contact}").status_code == 404


@pytest.mark.soak
def test_its_archive_lies_in_its_region_and_is_read_back_from_there(
    app: Flask, neighbour: Workspace, two_regions: Nursery, works: Works, regional: Path
) -> None:
    catalog = works.catalog
    tenant, other = opened(app, two_regions, None, "us"), opened(app, two_regions, None, "eu")
    contact = tenant.admin.post("/contacts", {"last_name": "Ng"}).json["id"]
    archiving = Archiving(catalog, works.owners, two_regions.wrapper, works.head)
    put_away = [ask_to_archive(catalog, each.home.id, QUIET) for each in (tenant, other)]
    for each in put_away:
        keep_going(archiving, each)
    assert kept_in(regional / "us", tenant) == kept_in(regional / "eu", other) == {"archives"}
    assert kept_in(regional / "eu", tenant) == kept_in(regional / "us", other) == set()
    keep_going(archiving, ask_to_thaw(catalog, tenant.home.id, QUIET))
    assert tenant.admin.get(f"/contacts/{contact}").json["last_name"] == "Ng"
    assert neighbour.admin.get(f"/contacts/{contact}").status_code == 404


def test_a_bundle_is_brought_into_the_region_that_is_named(
    app: Flask, neighbour: Workspace, two_regions: Nursery, works: Works, regional: Path, tmp_path: Path
) -> None:
    ours, slug, bundle = opened(app, two_regions, None, "eu"), f"r-{secrets.token_hex(4)}", tmp_path / "b.zip"
    contact = ours.admin.post("/contacts", {"last_name": "Ng"}).json["id"]
    attached(ours.admin, "contacts", contact)
    take_out(ours.home, bundle, Format.CSV)
    with pytest.raises(Invalid, match=r"no region 'mars'\. Choose one of: eu, us\."):
        bring_in(two_regions, bundle, slug, region="mars")
    assert works.catalog.by_slug(slug) is None
    brought = bring_in(two_regions, bundle, slug, region="us").home
    assert (brought.cell, works.catalog.region_of(brought.id)) == ("second", "us")
    assert kept_in(regional / "us", Workspace(brought, {})) == {"attachments"}
    assert kept_in(regional / "eu", Workspace(brought, {})) == set()
    with pytest.raises(Conflict, match="never leaves it"):
        ask_to_move(Works(works.catalog, works.owners, works.head, REGIONS), brought.id, "main", WHY)
    assert neighbour.admin.get(f"/contacts/{contact}").status_code == 404


def test_files_of_a_region_without_storage_go_nowhere_else(
    app: Flask, neighbour: Workspace, two_regions: Nursery, works: Works, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    main = RegionalStorage(storage_from(tmp_path.as_uri()), {}, works.catalog.region_of, home="eu")
    monkeypatch.setattr(files, "_storage", [main])
    ours, theirs = opened(app, two_regions, None, "us"), opened(app, two_regions, None, "eu")
    contact = ours.admin.post("/contacts", {"last_name": "Ng"}).json["id"]
    refused = attach(ours.admin, "contacts", contact)
    assert (refused.status_code, "stored" in refused.json["detail"]) == (503, True)
    assert ours.admin.get("/attachments", query_string={"record_id": contact}).json["data"] == []
    with pytest.raises(StorageFailed, match="no storage in 'us': name one in FREEHOLD_REGION_STORAGE"):
        stored_files(ours.home.id)
    assert list(tmp_path.rglob("*")) == []
    attached(theirs.admin, "contacts", theirs.admin.post("/contacts", {"last_name": "Ng"}).json["id"])
    assert kept_in(tmp_path, theirs) == {"attachments"}
    assert neighbour.admin.get(f"/contacts/{contact}").status_code == 404


@pytest.mark.soak
def test_a_region_that_is_said_too_late_stops_the_move_at_the_switch(
    app: Flask, neighbour: Workspace, two_regions: Nursery, works: Works
) -> None:
    tenant = opened(app, two_regions, "main", None)
    works = Works(works.catalog, works.owners, works.head, REGIONS)
    move_id = ask_to_move(works, tenant.home.id, "second", WHY)
    with works.catalog.transaction() as session:
        session.execute(update(Tenant).where(Tenant.id == tenant.home.id).values(region="eu"))
    with pytest.raises(Conflict, match="never leaves it"):
        go_on(works, move_id)
    assert works.catalog.state_of(tenant.home.id) == "moving"
    assert "main" in schemas(works, tenant)
    assert neighbour.admin.get("/contacts").status_code == 200


@pytest.mark.soak
def test_who_chose_none_keeps_its_files_where_they_are_when_it_moves(
    app: Flask, neighbour: Workspace, two_regions: Nursery, works: Works, regional: Path
) -> None:
    tenant = opened(app, two_regions, None, None)
    contact = tenant.admin.post("/contacts", {"last_name": "Ng"}).json["id"]
    attachment = attached(tenant.admin, "contacts", contact)["id"]
    works = Works(works.catalog, works.owners, works.head, REGIONS)
    go_on(works, ask_to_move(works, tenant.home.id, "second", WHY))
    assert tenant.admin.get(f"/attachments/{attachment}/download").status_code == 200
    assert kept_in(regional / "us", tenant) == set()
    assert kept_in(regional / "eu", tenant) == {"attachments"}
    assert neighbour.admin.get(f"/attachments/{attachment}").status_code == 404


def test_spares_are_made_in_every_cell_that_can_be_reached(
    neighbour: Workspace, works: Works, nursery: Nursery
) -> None:
    owners = {**works.owners, "gone": "postgresql://freehold_owner@127.0.0.1:1/freehold", "unowned": None}
    everywhere = Nursery(nursery.catalog, nursery.wrapper, nursery.head, owners, REGIONS)
    with works.catalog.transaction() as session:
        there = select(func.count()).where(Tenant.cell == "second", Tenant.state == State.SPARE)
        wanted = (session.scalar(there) or 0) + 1
    assert everywhere.stock_cells(wanted) >= 1
    with works.catalog.transaction() as session:
        assert session.scalar(there) == wanted
    assert neighbour.admin.get("/contacts").status_code == 200
