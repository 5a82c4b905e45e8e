"""NOTICE names everybody whose work the program stands on."""

import importlib.util
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "requirements" / "notice.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("notice", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def named():
    return (ROOT / "NOTICE").read_text(encoding="utf-8").splitlines()


def test_every_package_the_program_needs_is_named_with_its_version(script, named):
    pinned = script.pinned()
    lines = (ROOT / "requirements" / "runtime.txt").read_text(encoding="utf-8").splitlines()
    assert len(pinned) == sum(line[:1].isalnum() for line in lines) > 0
    for name, version in pinned:
        assert any(line.startswith(f"{name} {version}: ") for line in named), name


def test_every_package_has_the_licence_it_says_itself(script, named):
    for name, version in script.pinned():
        if is_here(name):
            assert f"{name} {version}: {script._licence_of(name)}" in named


def is_here(name):
    try:
        metadata(name)
    except PackageNotFoundError:
        return False
    return True


def test_what_the_program_asks_for_itself_is_among_them(named):
    asked = (ROOT / "requirements" / "runtime.in").read_text(encoding="utf-8").splitlines()
    for line in filter(None, asked):
        name = line.partition(";")[0].partition("==")[0].partition("[")[0].strip()
        assert any(each.startswith(f"{name} ") for each in named), name
