"""`freehold place`: whose each place is, and how one is made ours."""

import json
import shutil

import pytest
from click.testing import CliRunner, Result

from crm.cli import main
from tests.crm.cli.test_refusals import variables


@pytest.fixture
def place(settings, without_marks, monkeypatch, tmp_path):
    """Commands in this installation, which has its backups in a folder of the test's."""
    monkeypatch.setenv("FREEHOLD_DATA_DIR", str(tmp_path))
    own = {
        f"FREEHOLD_{name.upper()}": (tmp_path / name).as_uri() for name in ("storage", "backups", "keyring")
    }

    def run(*arguments: str, **changes: str) -> Result:
        return CliRunner().invoke(main, ["place", *arguments], env=variables(settings) | own | changes)

    return run


def said(result: Result) -> dict[str, str]:
    return {each["name"]: each["says"] for each in json.loads(result.stdout)["places"]}


def test_a_place_is_nobodys_then_ours_then_without_its_mark_then_ours_again(place, tmp_path, acme, neighbour):
    assert said(place("list", "--json")) == dict.fromkeys(("storage", "backups", "keyring"), "nobody's yet")
    assert place("adopt", "backups", "keyring", "--json").exit_code == 0
    assert said(place("list", "--json"))["backups"] == "ours"
    (tmp_path / "backups").rename(tmp_path / "aside")

    lost = place("list", "--json")

    assert (lost.exit_code, said(lost)["backups"]) == (1, "without its mark")
    assert lost.stderr == "Not every place can be used.\n"
    assert not (tmp_path / "backups").exists(), "to look writes nothing"
    assert place("adopt", "backups").exit_code == 0
    lines = place("list").stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["✓ storage", "✓ backups", "✓ keyring"]
    assert "FREEHOLD_BACKUPS), ours" in lines[1]


def test_anothers_place_is_shown_as_that_and_can_be_adopted(place, tmp_path, acme, neighbour):
    assert place("adopt", "storage").exit_code == 0
    shutil.copytree(tmp_path / "storage", tmp_path / "another's")
    mark = tmp_path / "another's" / "installation" / "storage.json"
    mark.write_text(
        json.dumps({**json.loads(mark.read_text()), "mark": "01890000-0000-7000-8000-000000000000"})
    )
    anothers = {"FREEHOLD_STORAGE": (tmp_path / "another's").as_uri()}

    found = place("list", "--json", **anothers)

    assert (found.exit_code, said(found)["storage"]) == (1, "another's")
    assert place("adopt", "storage", **anothers).exit_code == 0
    assert said(place("list", "--json", **anothers))["storage"] == "ours"
    assert said(place("list", "--json"))["storage"] == "another's", "it has one mark"


def test_what_cannot_be_read_is_a_sentence_and_what_there_is_not_too(place, tmp_path, acme, neighbour):
    (tmp_path / "file").write_text("in the way")
    wrong = place("list", "--json", FREEHOLD_KEYRING=(tmp_path / "file").as_uri())
    assert wrong.exit_code == 1
    assert "can't be read: Not a directory." in said(wrong)["keyring"]

    unknown = place("adopt", "cellar")
    assert unknown.exit_code == 1
    assert unknown.stderr == "There is no place 'cellar'. There are storage, backups, keyring.\n"
