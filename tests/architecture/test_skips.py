"""A skip that nobody explained fails the run."""

import re

import pytest

from tests.skips import allowed_skips

pytest_plugins = ["pytester"]

IN_A_BROWSER = re.compile(r"^from tests.browsers import .*chromium", re.MULTILINE)
SKIPPING = """
    import pytest

    @pytest.mark.skipif(True, reason="not today")
    def test_something(): ...

    def test_something_else(): ...
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    def run_with(allowed: str) -> pytest.RunResult:
        pytester.makepyfile(test_sample=SKIPPING)
        listed = pytester.makefile(".txt", allowed_skips=allowed)
        monkeypatch.setattr("tests.skips.LIST", listed)
        return pytester.runpytest_inprocess("-p", "tests.skips", "-p", "no:randomly")

    return run_with


def test_a_skip_without_a_reason_fails_the_run(run):
    result = run("# nothing is allowed\n")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["SKIPPED without a reason in allowed_skips.txt: *::test_something"])


def test_a_skip_on_the_list_is_fine(run):
    result = run("test_sample.py::test_something  not today\n")

    assert result.ret == pytest.ExitCode.OK


def test_every_listed_test_exists(request):
    here = request.config.rootpath
    for nodeid in allowed_skips():
        file, _, name = nodeid.partition("::")
        assert f"def {name}(" in (here / file).read_text(encoding="utf-8"), nodeid


def test_every_test_that_needs_a_browser_is_listed(request):
    here, listed = request.config.rootpath, allowed_skips()
    using = [each for each in here.glob("tests/**/test_*.py") if IN_A_BROWSER.search(each.read_text())]
    found = {
        f"{each.relative_to(here).as_posix()}::{name}"
        for each in using
        for name in re.findall(r"^def (test_\w+)", each.read_text(), re.MULTILINE)
    }

    assert len(using) >= 3
    assert found <= listed
