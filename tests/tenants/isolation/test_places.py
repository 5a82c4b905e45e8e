"""All places of an installation together: each has its mark, and none of another one is served from or taken."""

from pathlib import Path

import pytest

from tenants.catalog.registry import Catalog
from tenants.foundation.settings import Settings
from tenants.isolation.marks import FOLDER, AnothersPlace, NotOurPlace, Whose
from tenants.isolation.places import Places
from tenants.isolation.storage import StorageFailed
from tests.tenants.isolation.stored_files import be_another_installation, files_in


def test_the_places_of_an_installation_are_marked_each_by_its_name(
    catalog: Catalog, without_marks: None, settings: Settings, tmp_path: Path
) -> None:
    given = {
        "storage": (tmp_path / "all").as_uri(),
        "backups": (tmp_path / "all").as_uri(),
        "keyring": (tmp_path / "keyring").as_uri(),
        "region_storage": {"us": (tmp_path / "us").as_uri()},
        "region_backups": {"us": (tmp_path / "us").as_uri()},
    }
    places = Places(settings.model_copy(update=given), catalog)
    places.say_seen()
    assert sorted(files_in(tmp_path / "all" / FOLDER)) == ["backups.json", "storage.json"]
    assert sorted(files_in(tmp_path / "us" / FOLDER)) == ["backups-us.json", "storage-us.json"]
    assert files_in(tmp_path / "keyring" / FOLDER) == ["keyring.json"]
    places.must_not_be_anothers()
    places.must_be_free()

    exchanged = {**given, "storage": given["keyring"], "keyring": given["storage"]}
    wrong = Places(settings.model_copy(update=exchanged), catalog)
    with pytest.raises(NotOurPlace, match=r"FREEHOLD_STORAGE.* has not the mark"):
        wrong["storage"].write("a", [b"x"])
    with pytest.raises(NotOurPlace, match=r"FREEHOLD_KEYRING.* has not the mark"):
        wrong["keyring"].say_seen()

    be_another_installation(catalog)
    with pytest.raises(
        AnothersPlace, match=r"STORAGE.*of another installation.*place adopt storage storage-us backups"
    ):
        places.must_not_be_anothers()
    with pytest.raises(
        AnothersPlace, match=r"installation that may be alive: .*STORAGE.*BACKUPS.*KEYRING.* --adopt"
    ):
        places.must_be_free()
    places.adopt()
    places.must_not_be_anothers()


def test_a_place_that_cannot_be_read_keeps_nobody_from_serving(
    catalog: Catalog, without_marks: None, settings: Settings, s3_storage_url: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    given = {
        "storage": (tmp_path / "file").as_uri(),
        "backups": "s3://no-such-bucket/x",
        "keyring": (tmp_path / "keyring").as_uri(),
    }
    places = Places(settings.model_copy(update=given), catalog)
    places.must_not_be_anothers()
    with pytest.raises(StorageFailed):
        places.say_seen()
    assert places["keyring"].look().whose is Whose.OURS, "the others are tried all the same"
