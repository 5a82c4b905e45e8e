"""What chose a region is backed up in that region, and comes back from there."""

import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import make_url

from tenants.catalog.regions import Regions
from tenants.catalog.registry import Catalog
from tenants.foundation.servers import EmbeddedServers
from tenants.foundation.settings import Settings
from tenants.identity.founding import Founder
from tenants.isolation import files
from tenants.isolation.bootstrap import LOGINS, Logins, bootstrap
from tenants.isolation.folder import Folder
from tenants.isolation.regional import RegionalStorage
from tenants.isolation.storage import storage_from
from tenants.lifecycle.backups.keyring import Keyring
from tenants.lifecycle.backups.store import Store
from tenants.lifecycle.backups.taking import Taking
from tenants.lifecycle.keys.versions import key_versions
from tenants.provisioning.birth import Nursery
from tests.attaching import attached
from tests.elsewhere import Elsewhere
from tests.s3 import BUCKET, S3
from tests.tenants.lifecycle.moves.world import two_doors
from tests.workspace import Client, Workspace

#: Each command is a process that loads the whole program.
pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]

REGIONS = {"main": "eu", "second": "us"}


@dataclass
class World:
    """An installation in two regions, with a tenant in each, and one that chose none and lives in the second cell."""

    folder: Path
    environment: dict[str, str]
    us: Workspace
    eu: Workspace
    free: Workspace
    contacts: dict[str, str]

    def of(self, tenant: Workspace) -> dict[str, set[str]]:
        """The places that have something of a tenant in their backups, each with the kinds of it."""
        role, digits = tenant.home.role, tenant.home.id.hex
        found: dict[str, set[str]] = {}
        for region in ("eu", "us"):
            for path in (self.folder / region / "backups").rglob("*"):
                kind, *rest = path.relative_to(self.folder / region / "backups").parts
                if path.is_file() and (role in rest or digits in rest):
                    found.setdefault(region, set()).add(kind)
        return found


def environment_of(folder: Path, second: Logins, **regions: str) -> dict[str, str]:
    """What a command is given: cells, and where each region's files and backups are."""
    urls = {"app": second.app, "staff": second.staff, "owner": second.owner}
    us = {kind: json.dumps({"us": (folder / "us" / kind).as_uri()}) for kind in ("storage", "backups")}
    return {
        "FREEHOLD_REGION": "eu",
        "FREEHOLD_CELLS": json.dumps({"second": {**urls, "region": "us"}}),
        "FREEHOLD_STORAGE": (folder / "eu" / "storage").as_uri(),
        "FREEHOLD_BACKUPS": (folder / "eu" / "backups").as_uri(),
        "FREEHOLD_KEYRING": (folder / "keyring").as_uri(),
        "FREEHOLD_REGION_STORAGE": us["storage"],
        "FREEHOLD_REGION_BACKUPS": us["backups"],
        **regions,
    }


@pytest.fixture
def world(  # noqa: PLR0917 - the parts of an installation
    app: Flask, nursery: Nursery, settings: Settings, logins: Logins, second: Logins, catalog: Catalog,
    without_marks: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> Iterator[World]:  # fmt: skip
    in_us = {"us": storage_from((tmp_path / "us" / "storage").as_uri())}
    main = storage_from((tmp_path / "eu" / "storage").as_uri())
    monkeypatch.setattr(files, "_storage", [RegionalStorage(main, in_us, catalog.region_of, home="eu")])
    owners = {"main": logins.owner, "second": second.owner}
    two = Nursery(catalog, nursery.wrapper, nursery.head, owners, Regions(REGIONS))

    def opened(cell: str | None, region: str | None) -> Workspace:
        founder = Founder("Rita", api_key=True)
        home, made = two.open(f"b-{secrets.token_hex(4)}", "Rita's", founder, cell, region)
        return Workspace(home, {"admin": Client(app.test_client(), made.api_key or "", made.user_id)})

    with two_doors(catalog, settings, second):
        tenants = opened(None, "us"), opened(None, "eu"), opened("second", None)
        contacts = {}
        for each in tenants:
            contact = each.admin.post("/contacts", {"last_name": "Bird", "national_id": "sealed"}).json["id"]
            attached(each.admin, "contacts", contact)
            contacts[each.home.role] = contact
        yield World(tmp_path, environment_of(tmp_path, second), *tenants, contacts)


@pytest.fixture
def place(world: World, settings: Settings, logins: Logins, servers: EmbeddedServers) -> Elsewhere:
    """Commands in the installation itself, with a data folder apart."""
    given = {**world.environment, "REDIS_URL": settings.redis_url}
    return Elsewhere(settings, logins, servers.admin_url, world.folder / "here", given)


@pytest.fixture
def other_cell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logins]:
    """A cell for an installation that is empty, on a server of its own."""
    with EmbeddedServers(tmp_path_factory.mktemp("cell"), redis=False, fsync=False) as running:
        yield bootstrap(running.admin_url, {login: secrets.token_hex(16) for login in LOGINS})


def in_cell(logins: Logins, statement: str, schema: str) -> list[tuple[Any, ...]]:
    url = make_url(logins.owner).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, options=f"-c search_path={schema}") as connection:
        return connection.execute(statement.encode()).fetchall()


def test_a_backup_of_two_regions_lies_in_both_and_a_drill_brings_back_all_of_it(
    world: World, place: Elsewhere, acme: Workspace, neighbour: Workspace
) -> None:
    taken = place.told("backup", "create")
    assert taken["left_out"] == {}
    assert world.of(world.us) == {"us": {"taken", "files"}}
    assert world.of(world.eu) == {"eu": {"taken", "files"}}
    assert world.of(world.free) == {"eu": {"taken", "files"}}, "its files are there too, wherever it lives"
    names = {path.name for path in (world.folder / "us" / "backups").rglob("*") if path.is_file()}
    assert not names & {"backup.json", "catalog", "index"}, "there is one list"

    verified = place.told("backup", "verify", taken["backup"])
    assert (verified["tenants"], verified["files"]) == (taken["tenants"], taken["files"])
    assert verified["files"] >= 3

    found = place.told("backup", "drill", taken["backup"])
    assert found["equal"]
    lines = {each["table"]: each for each in found["lines"]}
    assert lines["contacts"]["tenants"] == lines["contacts"]["equal"] == taken["tenants"]
    assert lines["contacts"]["rows"] >= 3
    assert not (place.folder / "drill").exists()


def test_a_region_is_looked_at_and_drilled_alone(
    world: World, place: Elsewhere, neighbour: Workspace
) -> None:
    taken = place.told("backup", "create")
    verified = place.told("backup", "verify", taken["backup"], "--region", "us")
    assert (verified["tenants"], verified["files"]) == (1, 1)
    rest = place.told("backup", "verify", taken["backup"], "--region", "eu")
    assert (rest["tenants"], rest["files"]) == (taken["tenants"] - 1, taken["files"] - 1)

    bundle = world.folder / "eu" / "backups" / "taken" / taken["backup"] / world.eu.home.role
    bundle.unlink()
    found = place.told("backup", "drill", taken["backup"], "--region", "us")
    assert found["equal"], "what is of the other region was not even looked for"
    lines = {each["table"]: each for each in found["lines"]}
    assert (lines["contacts"]["tenants"], lines["contacts"]["rows"]) == (1, 1)
    refused = place.run("backup", "drill", taken["backup"], "--region", "mars")
    assert (refused.returncode, "no place for backups of 'mars'" in refused.stderr) == (1, True)


def test_in_buckets_too_each_region_has_what_is_of_it_and_no_byte_of_another(
    world: World, place: Elsewhere, neighbour: Workspace, s3: S3, s3_storage_url: str, bucket: str
) -> None:
    main = s3_storage_url.removeprefix(f"s3://{BUCKET}/")
    place.changes |= s3.environment | {
        "FREEHOLD_BACKUPS": f"{s3_storage_url}/backups",
        "FREEHOLD_KEYRING": f"{s3_storage_url}/keyring",
        "FREEHOLD_REGION_BACKUPS": json.dumps({"us": f"s3://{bucket}/backups"}),
    }

    def kept(name: str, prefix: str = "") -> set[str]:
        pages = s3.client.get_paginator("list_objects_v2").paginate(Bucket=name, Prefix=prefix)
        return {each["Key"] for page in pages for each in page.get("Contents", ())}

    taken = place.told("backup", "create")
    us, eu = kept(bucket), kept(BUCKET, main)
    of_us = (world.us.home.role, world.us.home.id.hex)
    assert {key.split("/")[1] for key in us} == {"taken", "files", "installation"}
    of_nobody = {f"backups/taken/{taken['backup']}/part.json", "backups/installation/backups-us.json"}
    assert all(any(each in key for each in of_us) for key in us - of_nobody)
    assert not any(each in key for key in eu if "/backups/" in key for each in of_us)

    verified = place.told("backup", "verify", taken["backup"])
    assert (verified["tenants"], verified["files"]) == (taken["tenants"], taken["files"])
    assert place.told("backup", "drill", taken["backup"], "--region", "us")["equal"]

    (rows,) = (key for key in us if key.endswith(world.us.home.role))
    (other,) = (key for key in eu if key.endswith(f"{taken['backup']}/{world.eu.home.role}"))
    ours = s3.client.get_object(Bucket=bucket, Key=rows)["Body"].read()
    theirs = s3.client.get_object(Bucket=BUCKET, Key=other)["Body"].read()
    s3.client.put_object(Bucket=bucket, Key=rows, Body=theirs)
    refused = place.run("backup", "verify", taken["backup"])
    assert (refused.returncode, "was changed or cut short" in refused.stderr) == (1, True)
    s3.client.put_object(Bucket=bucket, Key=rows, Body=ours)

    place.changes["FREEHOLD_REGION_BACKUPS"] = json.dumps({"us": f"s3://{bucket}-that-is-not-there/backups"})
    assert place.run("backup", "create").returncode == 1, "of all regions or of none"
    assert [each["id"] for each in place.told("backup", "list")["backups"]] == [taken["backup"]]


def test_a_backup_from_before_is_read_from_the_one_place_that_it_lies_in(
    world: World, place: Elsewhere, settings: Settings, catalog: Catalog, neighbour: Workspace
) -> None:
    keyring = Keyring(Folder(world.folder / "keyring"), catalog, key_versions().wrapper, 35)
    before = Store(Folder(world.folder / "eu" / "backups"), keyring)
    page = Taking(before, catalog, settings.catalog_database_url, files._storage[0]).take().page
    assert world.of(world.us) == {"eu": {"taken", "files"}}
    verified = place.told("backup", "verify", page.id)
    assert (verified["tenants"], verified["files"]) == (page.tenants, page.files)
    place.told("backup", "create")
    assert place.told("backup", "prune")["backups"] == []
    assert world.of(world.us) == {"eu": {"taken", "files"}, "us": {"taken", "files"}}
    assert place.told("backup", "verify", page.id)["files"] == page.files


def test_what_is_changed_or_missing_in_a_region_is_named(
    world: World, place: Elsewhere, neighbour: Workspace
) -> None:
    taken = place.told("backup", "create")["backup"]
    bundle = world.folder / "us" / "backups" / "taken" / taken / world.us.home.role
    content = bundle.read_bytes()
    bundle.write_bytes(content[:-1])
    refused = place.run("backup", "verify", taken)
    assert refused.returncode == 1
    assert f"taken/{taken}/{world.us.home.role} was changed or cut short" in refused.stderr
    bundle.write_bytes(content)
    (copied,) = (each for each in (world.folder / "us" / "backups" / "files").rglob("*") if each.is_file())
    copied.unlink()
    assert f"{copied.name} is missing from storage" in place.run("backup", "verify", taken).stderr


def test_each_tenant_comes_back_to_its_region_from_its_region(
    world: World, place: Elsewhere, neighbour: Workspace, elsewhere: Callable[[], Elsewhere],
    other_cell: Logins,
) -> None:  # fmt: skip
    taken = place.told("backup", "create")["backup"]
    there = elsewhere()
    empty = environment_of(there.folder, other_cell)
    kept = {
        name: world.environment[name] for name in world.environment if name.endswith(("BACKUPS", "KEYRING"))
    }
    there.changes = {**empty, **kept}

    # Where the second cell is of another region, what is bound to `us` doesn't come into it; nor without its place.
    for wrong, said in (
        ({"FREEHOLD_CELLS": empty["FREEHOLD_CELLS"].replace('"us"', '"eu"')}, "'us' and never leaves it"),
        (
            {
                name: there.changes[name].replace('"us"', '"asia"')
                for name in ("FREEHOLD_CELLS", "FREEHOLD_REGION_STORAGE", "FREEHOLD_REGION_BACKUPS")
            },
            "There is no place for backups of 'us': name one in FREEHOLD_REGION_BACKUPS.",
        ),
    ):
        changed = Elsewhere(
            there.settings, there.logins, there.admin_url, there.folder, {**there.changes, **wrong}
        )
        refused = changed.run("backup", "restore", taken)
        assert refused.returncode == 1
        assert said in refused.stderr
        assert there.rows("select count(*) from tenants where state <> 'spare'") == [(0,)]

    found = there.told("backup", "restore", taken, "--adopt")
    assert found["files_brought_back"] >= 3
    for tenant, region, cell in (
        (world.us, "us", "second"),
        (world.eu, "eu", "main"),
        (world.free, None, "second"),
    ):
        role = tenant.home.role
        said_of = "select cell, region, state from tenants where id = %s"
        assert there.rows(said_of, tenant.home.id) == [(cell, region, "active")]
        rows = in_cell(other_cell, "select id::text from contacts", role) if cell == "second" else None
        rows = rows or there.rows("select id::text from contacts", schema=role)
        assert rows == [(world.contacts[role],)]
        storage = there.folder / (region or "eu") / "storage" / role / "attachments"
        assert len(list(storage.iterdir())) == 1
        others = {"eu", "us"} - {region or "eu"}
        assert not any((there.folder / other / "storage" / role).exists() for other in others)
