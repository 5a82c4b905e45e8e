"""What a page names is there: settings, files, tests, commands, and the pages it leads to."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from crm.cli import main
from crm.cli.visiting import KEY, TOKEN
from tenants.foundation.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
TESTS = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in [path.stem, *re.findall(r"def (test_\w+)", path.read_text())]
}
#: What whoever visits a tenant tells a command is no setting of an installation.
SETTINGS = {each.upper() for each in Settings.model_fields} | {
    each.removeprefix("FREEHOLD_") for each in (KEY, TOKEN)
}


def _names(page: Path, pattern: str) -> set[str]:
    return set(re.findall(pattern, page.read_text()))


def _commands(text: str) -> Iterator[str]:
    """Of each `freehold …` the words that don't lead to a command: those after it are arguments."""
    for words in re.findall(r"`(?:\.venv/bin/)?freehold ([a-z][a-z -]*)", text):
        found: click.Command | None = main
        for word in words.split():
            if isinstance(found, click.Group):
                found = found.get_command(click.Context(found), word)
                if found is None:
                    yield words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_names_is_there(page: Path) -> None:
    settings = _names(page, r"FREEHOLD_([A-Z_]+)\b")
    files = _names(page, r"`((?:bench|crm|docs|migrations|requirements|tenants|tests)/[\w/.-]+)`")
    links = {each for each in _names(page, r"\]\(([^)#\s]+)") if ":" not in each}
    assert settings <= SETTINGS
    assert [each for each in files if not (ROOT / each).exists()] == []
    assert [each for each in links if not (page.parent / each).exists()] == []
    assert _names(page, r"\b(test_\w+)") <= TESTS
    assert list(_commands(page.read_text())) == []


def test_every_page_can_be_found_from_the_readme() -> None:
    found, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in found and page.is_file():
            found.add(page)
            links = _names(page, r"\]\(([^)#\s:]+\.md)")
            waiting += [(page.parent / each).resolve() for each in links]
    assert [page.name for page in PAGES if page not in found and page.parent.name != "decisions"] == []
