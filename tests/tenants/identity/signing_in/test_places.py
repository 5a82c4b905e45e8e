"""Where a session is: from a database of places on this machine, when there is one."""

from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from tenants.foundation.geography import place_of
from tenants.foundation.settings import Settings
from tenants.foundation.settings_sources import SettingsError
from tests.persons import Person

VIENNA = {"city": {"names": {"en": "Vienna", "de": "Wien"}}, "country": {"names": {"en": "Austria"}}}
ITALY = {"country": {"names": {"en": "Italy"}}}


def written(file: Path, kind: str = "Test-City", *, version: int = 6) -> Path:
    """A real database of three networks; of the last nothing but its provider is known."""
    writer = MMDBWriter(version, database_type=kind, ipv4_compatible=version == 6)
    writer.insert_network(IPSet(["198.51.100.0/24", "127.0.0.0/8"]), VIENNA)
    writer.insert_network(IPSet(["203.0.113.0/24"]), ITALY)
    writer.insert_network(IPSet(["192.0.2.0/24"]), {"autonomous_system_number": 64496})
    writer.to_db_file(str(file))
    return file


def test_a_place_is_town_and_country_or_what_is_known_of_it(tmp_path: Path) -> None:
    known = written(tmp_path / "places.mmdb")
    assert place_of(known, "198.51.100.7") == "Vienna, Austria"
    assert place_of(known, "203.0.113.7") == "Italy"
    for nowhere in ("192.0.2.7", "10.0.0.1", "2001:db8::1", "unknown", "", None):
        assert place_of(known, nowhere) is None
    assert place_of(None, "198.51.100.7") is None
    assert place_of(written(tmp_path / "four.mmdb", version=4), "2001:db8::1") is None


def test_sessions_show_where_they_are_and_nobody_elses(
    perla: Person, stranger: Person, app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    abroad, outsider = perla.browser(), stranger.signed_in()
    abroad.flask.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    assert abroad.sign_in(perla).status_code == 201
    assert [each["place"] for each in abroad.get("/sessions").json] == [None]
    house = app.extensions["house"]
    settings = house.settings.model_copy(update={"places": written(tmp_path / "places.mmdb")})
    monkeypatch.setitem(app.extensions, "house", replace(house, settings=settings))
    assert [each["place"] for each in abroad.get("/sessions").json] == ["Italy"]
    assert "Italy" not in outsider.get("/sessions").text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "can't be read as a database of places"),
        (b"Vienna, Austria", "can't be read as a database of places"),
        ("Test-ASN", "it is a database of Test-ASN, and one of towns or countries is needed"),
    ],
)
def test_what_is_no_database_of_places_is_refused_at_start_up(
    content: bytes | str | None,
    said: str,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "places.mmdb"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content:
        written(file, content)
    for name, value in (
        ("DATABASE_URL", settings.database_url),
        ("REDIS_URL", settings.redis_url),
        ("FREEHOLD_CATALOG_DATABASE_URL", settings.catalog_database_url),
        ("FREEHOLD_PLACES", file),
    ):
        monkeypatch.setenv(name, str(value))
    with pytest.raises(SettingsError, match=said) as refused:
        Settings.read(tmp_path)
    assert "FREEHOLD_PLACES" in str(refused.value)
