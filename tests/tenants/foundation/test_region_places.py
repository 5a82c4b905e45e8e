"""A region has places of its own for files and backups, and shares none of them with another."""

import json

import pytest

from tenants.foundation.settings import Settings
from tests.tenants.foundation.settled import refusal

CELL = '{"app": "postgresql://a", "staff": "postgresql://s", "region": REGION}'


def cells(**regions: str | None) -> str:
    said = (f'"{cell}": {CELL.replace("REGION", json.dumps(region))}' for cell, region in regions.items())
    return f"{{{', '.join(said)}}}"


def of_regions(**places: str) -> str:
    return json.dumps(places)


def two_regions(environment: pytest.MonkeyPatch, home: str = "eu") -> None:
    """Whose places are all apart."""
    environment.setenv("FREEHOLD_REGION", home)
    environment.setenv("FREEHOLD_CELLS", cells(ohio="us"))
    environment.setenv("FREEHOLD_STORAGE", "s3://eu/files")
    environment.setenv("FREEHOLD_BACKUPS", "s3://eu/backups")
    environment.setenv("FREEHOLD_REGION_STORAGE", of_regions(us="s3://us/files"))
    environment.setenv("FREEHOLD_REGION_BACKUPS", of_regions(us="s3://us/backups"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "STORAGE",
            "Files never leave a region, and there is no storage in 'in': FREEHOLD_STORAGE is for 'eu'.",
        ),
        (
            "BACKUPS",
            "Backups never leave a region, and there is no place for them in 'in': FREEHOLD_BACKUPS is for 'eu'.",
        ),
    ],
)
def test_a_region_without_a_place_of_its_own_stops_the_start(environment, name, said):
    two_regions(environment)
    environment.setenv("FREEHOLD_CELLS", cells(ohio="us", oregon="us", mumbai="in", bonn="eu"))
    environment.setenv("FREEHOLD_REGION_STORAGE", of_regions(us="s3://us", **{"in": "s3://in"}))
    environment.setenv("FREEHOLD_REGION_BACKUPS", of_regions(us="s3://us", **{"in": "s3://in"}))
    assert Settings.read().region_backups == {"us": "s3://us", "in": "s3://in"}

    environment.setenv(f"FREEHOLD_REGION_{name}", of_regions(us="s3://us/its"))
    todo = f'Set FREEHOLD_REGION_{name}={{"us": "s3://us/its", "in": "s3://bucket/prefix"}}.'
    assert refusal() == f"{said} {todo}"


def test_what_is_of_no_region_is_no_place_of_one(environment):
    environment.setenv("FREEHOLD_CELLS", cells(ohio="us", mumbai="in"))

    files, backups = refusal().splitlines()

    assert "no storage in 'in' and 'us': FREEHOLD_STORAGE is for cells of no region." in files
    assert '{"in": "s3://bucket/prefix", "us": "s3://bucket/prefix"}' in files
    assert "no place for them in 'in' and 'us': FREEHOLD_BACKUPS is for cells of no region." in backups


@pytest.mark.parametrize(("home", "second"), [(None, None), ("eu", "eu"), ("eu", None)])
def test_cells_of_one_region_or_of_none_share_one_place(environment, home, second):
    if home:
        environment.setenv("FREEHOLD_REGION", home)
    environment.setenv("FREEHOLD_CELLS", cells(second=second))

    settings = Settings.read()

    assert settings.region_storage == settings.region_backups == {}


@pytest.mark.parametrize(
    ("changes", "one", "other"),
    [
        ({"REGION_STORAGE": "s3://eu/files"}, "STORAGE", "REGION_STORAGE"),
        ({"REGION_STORAGE": "s3://eu/elsewhere"}, "STORAGE", "REGION_STORAGE"),
        ({"REGION_BACKUPS": "s3://eu/us"}, "BACKUPS", "REGION_BACKUPS"),
        ({"STORAGE": "file:///srv", "REGION_STORAGE": "file:///srv/us"}, "STORAGE", "REGION_STORAGE"),
        ({"STORAGE": "file:///srv/us", "REGION_STORAGE": "file:///srv"}, "STORAGE", "REGION_STORAGE"),
        ({"STORAGE": "file:///srv/eu", "REGION_STORAGE": "file:///srv/us/../e%75"}, "STORAGE", "REGION_STORAGE"),
        ({"STORAGE": "s3://us/eu"}, "STORAGE", "REGION_BACKUPS"),
    ],
)  # fmt: skip
def test_two_regions_in_one_place_stop_the_start(environment, changes, one, other):
    two_regions(environment)
    for name, url in changes.items():
        environment.setenv(f"FREEHOLD_{name}", of_regions(us=url) if name.startswith("REGION") else url)

    said = refusal()

    assert f"FREEHOLD_{one} and FREEHOLD_{other} of 'us' are one place, " in said
    assert "what is kept of a region never leaves it: name a bucket or folder for each" in said


def test_two_regions_of_which_none_is_the_first_cells_share_no_place_either(environment):
    two_regions(environment)
    environment.setenv("FREEHOLD_REGION_BACKUPS", of_regions(us="s3://us/backups", asia="s3://us/asia"))

    said = refusal().splitlines()

    assert [each.partition(" are one place")[0] for each in said] == [
        "FREEHOLD_REGION_STORAGE of 'us' and FREEHOLD_REGION_BACKUPS of 'asia'",
        "FREEHOLD_REGION_BACKUPS of 'us' and FREEHOLD_REGION_BACKUPS of 'asia'",
    ]


def test_a_link_to_another_regions_folder_is_that_folder(environment, tmp_path):
    two_regions(environment)
    (tmp_path / "us").symlink_to(tmp_path / "eu")
    environment.setenv("FREEHOLD_BACKUPS", (tmp_path / "eu").as_uri())
    environment.setenv("FREEHOLD_REGION_BACKUPS", of_regions(us=(tmp_path / "us").as_uri()))

    assert "FREEHOLD_BACKUPS and FREEHOLD_REGION_BACKUPS of 'us' are one place" in refusal()

    (tmp_path / "us").unlink()
    assert Settings.read().region_backups == {"us": (tmp_path / "us").as_uri()}


def test_the_first_cells_region_may_have_its_own_place_inside_the_main_one(environment):
    two_regions(environment)
    environment.setenv("FREEHOLD_REGION_STORAGE", of_regions(us="s3://us/files", eu="s3://eu/files"))
    environment.setenv("FREEHOLD_REGION_BACKUPS", of_regions(us="s3://us/backups", eu="s3://eu/bound"))

    assert Settings.read().region_backups["eu"] == "s3://eu/bound"
