"""A skip that nobody explained fails the run."""

import pytest

from tests.skips import allowed_skips

pytest_plugins = ["pytester"]

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
