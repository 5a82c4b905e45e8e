"""The doctor finds what is well and what is not."""

import json
import uuid
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from psycopg import sql

from crm.cli import main
from tenants.catalog.registry import Catalog
from tenants.isolation.key_file import LocalKeyFile
from tenants.isolation.owner import as_owner
from tenants.isolation.wrapping import Wrapping
from tenants.lifecycle.keys.rewrapping import store_look_ups
from tenants.provisioning.revisions import head
from tests.crm.cli.test_refusals import variables


@pytest.fixture
def doctor(settings, monkeypatch, tmp_path):
    monkeypatch.setenv("FREEHOLD_DATA_DIR", str(tmp_path))

    def examine(*arguments: str, **changes: str) -> Result:
        return CliRunner().invoke(main, ["doctor", *arguments], env=variables(settings) | changes)

    return examine


def findings(result: Result) -> dict[str, tuple[bool, str]]:
    return {each["check"]: (each["well"], each["says"]) for each in json.loads(result.stdout)["checks"]}


def files_in(place: Path) -> list[str]:
    return sorted(each.name for each in place.rglob("*") if each.is_file())


def test_all_is_well_in_a_house_that_is_well(doctor, acme, neighbour):
    result = doctor("--json")

    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["well"] is True
    assert set(findings(result)) == {
        "logins",
        "staff",
        "redis",
        "storage",
        "backups",
        "keyring",
        "regions",
        "key of keys",
        "migrations",
    }


def test_a_person_reads_a_line_for_each(doctor, acme, neighbour):
    lines = doctor().stdout.splitlines()

    assert len(lines) == 9
    assert all(line.startswith("✓ ") for line in lines)


def test_redis_that_is_away_is_found_and_the_rest_is_still_looked_at(doctor, acme, neighbour):
    result = doctor("--json", REDIS_URL="redis://127.0.0.1:1/0")

    assert result.exit_code == 1
    assert result.stderr == "Not everything is well.\n"
    found = findings(result)
    assert found["redis"][0] is False
    assert "Redis can't be reached" in found["redis"][1]
    assert found["migrations"][0] is True


def test_a_way_in_for_staff_without_a_visit_is_found(doctor, settings, acme, neighbour):
    staff = {"FREEHOLD_STAFF_DATABASE_URL": settings.staff_database_url}
    role = sql.Identifier(acme.home.role)
    with as_owner(settings.owner_database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("grant {} to freehold_staff with inherit false").format(role))
        try:
            well, says = findings(doctor("--json", **staff))["staff"]
        finally:
            connection.execute(sql.SQL("revoke {} from freehold_staff").format(role))

    assert not well
    assert acme.home.role in says
    assert findings(doctor("--json", **staff))["staff"][0]


def test_an_open_key_file_is_found(doctor, tmp_path, acme, neighbour):
    key = tmp_path / "open"
    key.write_text("not a key")
    key.chmod(0o644)

    well, says = findings(doctor("--json", FREEHOLD_KEY_FILE=str(key)))["key of keys"]

    assert not well
    assert "chmod 600" in says


def test_the_key_file_of_another_installation_is_found(doctor, settings, tmp_path, acme, neighbour):
    catalog = Catalog(settings.catalog_database_url)
    store_look_ups(catalog, Wrapping(LocalKeyFile(settings.key_file)))
    catalog.engine.dispose()
    other = tmp_path / "other"
    LocalKeyFile.made_if_missing(other)

    well, says = findings(doctor("--json", FREEHOLD_KEY_FILE=str(other)))["key of keys"]

    assert not well
    assert says.startswith(f"{other.as_uri()}: The key of keys in use here is not the one that wrapped")
    former = {"FREEHOLD_FORMER_KEY_WRAPPER": settings.key_file.as_uri()}
    assert findings(doctor("--json", FREEHOLD_KEY_FILE=str(other), **former))["key of keys"][0]


def test_storage_that_cannot_be_written_is_found(doctor, without_marks, tmp_path, acme, neighbour):
    (tmp_path / "file").write_text("in the way")

    well, says = findings(doctor("--json", FREEHOLD_STORAGE=(tmp_path / "file").as_uri()))["storage"]

    assert not well
    assert "can't be read: Not a directory." in says


def test_storage_of_each_region_is_tried_out(doctor, without_marks, tmp_path, acme, neighbour):
    (tmp_path / "file").write_text("in the way")
    us, asia = (tmp_path / "us").as_uri(), (tmp_path / "file").as_uri()

    result = doctor("--json", FREEHOLD_REGION_STORAGE=json.dumps({"us": us, "asia": asia}))

    assert result.exit_code == 1
    found = findings(result)
    said = f"A file went to {us} and was removed again; certificates are kept without a lock there."
    assert found["storage of us"] == (True, said)
    assert found["storage of asia"][0] is False
    assert "can't be read: Not a directory." in found["storage of asia"][1]
    assert files_in(tmp_path / "us") == [".lock", "storage-us.json"]


def test_places_of_backups_are_tried_out(doctor, without_marks, tmp_path, acme, neighbour):
    (tmp_path / "file").write_text("in the way")
    eu, us, asia = ((tmp_path / each).as_uri() for each in ("eu", "us", "file"))

    result = doctor(
        "--json", FREEHOLD_BACKUPS=eu, FREEHOLD_REGION_BACKUPS=json.dumps({"us": us, "asia": asia})
    )

    assert result.exit_code == 1
    found = findings(result)
    assert found["backups"][0] is True
    assert found["backups of us"] == (True, f"A file went to {us} and was removed again.")
    assert found["backups of asia"][0] is False
    assert "can't be read: Not a directory." in found["backups of asia"][1]
    assert files_in(tmp_path / "us") == [".lock", "backups-us.json"]


def test_a_place_that_is_not_mounted_is_found(doctor, without_marks, tmp_path, acme, neighbour):
    place = tmp_path / "backups"
    assert findings(doctor("--json", FREEHOLD_BACKUPS=place.as_uri()))["backups"][0]
    place.rename(tmp_path / "aside")
    place.mkdir()

    well, says = findings(doctor("--json", FREEHOLD_BACKUPS=place.as_uri()))["backups"]

    assert not well
    assert "has not the mark of this installation, installation/backups.json: is it mounted?" in says
    assert list(place.iterdir()) == []


def test_whether_certificates_are_locked_is_said(doctor, without_marks, s3, s3_storage_url, acme, neighbour):
    locking = f"b{uuid.uuid4().hex}"
    s3.client.create_bucket(
        Bucket=locking,
        CreateBucketConfiguration={"LocationConstraint": "eu-central-1"},
        ObjectLockEnabledForBucket=True,
    )
    result = doctor(
        "--json",
        FREEHOLD_STORAGE=s3_storage_url,
        FREEHOLD_REGION_STORAGE=json.dumps({"us": f"s3://{locking}"}),
    )

    found = findings(result)
    assert found["storage"] == (
        True,
        f"A file went to {s3_storage_url} and was removed again; certificates are kept without a lock there.",
    )
    assert found["storage of us"] == (
        True,
        f"A file went to s3://{locking} and was removed again; certificates are locked there.",
    )


@pytest.mark.soak
def test_a_key_of_kms_that_is_disabled_is_found(doctor, kms, settings, acme, neighbour):
    arn = kms.new_key()
    taking_over = {
        "FREEHOLD_KEY_WRAPPER": f"aws-kms://{arn}",
        "FREEHOLD_FORMER_KEY_WRAPPER": settings.key_file.as_uri(),
    }

    well, says = findings(doctor("--json", **taking_over))["key of keys"]

    assert (well, says) == (True, f"aws-kms://{arn} wraps keys and opens them again.")

    kms.disable(arn)
    well, says = findings(doctor("--json", **taking_over))["key of keys"]

    assert not well
    assert says.startswith(f"The key of keys is disabled: {arn}")


def test_a_tenant_is_behind_as_long_as_it_lives_and_not_while_it_is_put_away(
    doctor, settings, new_workspace, neighbour
):
    said = "update catalog.tenants set revision = %s, state = %s where id = %s"
    ours = new_workspace().home.id
    with as_owner(settings.owner_database_url, autocommit=True) as connection:
        try:
            for state, well in (("archived", True), ("active", False)):
                connection.execute(said, ["0001", state, ours])
                assert findings(doctor("--json"))["migrations"][0] is well
        finally:
            connection.execute(said, [head(), "active", ours])
    assert findings(doctor("--json"))["migrations"][0] is True
