"""A test that is skipped proves nothing: each skip is on a list with its reason, or the run fails."""

from pathlib import Path

import pytest

LIST = Path(__file__).with_name("allowed_skips.txt")


def allowed_skips() -> set[str]:
    """The tests that may be skipped; a line is a test's id, two spaces and the reason."""
    lines = LIST.read_text(encoding="utf-8").splitlines()
    return {line.partition("  ")[0] for line in lines if line and not line.startswith("#")}


class Skips:
    """Notes which tests and modules were skipped, and fails the run for those not on the list."""

    def __init__(self) -> None:
        self.unexplained: list[str] = []
        self._allowed = allowed_skips()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self._note(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self._note(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.unexplained and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for nodeid in self.unexplained:
            terminalreporter.write_line(f"SKIPPED without a reason in {LIST.name}: {nodeid}", red=True)

    def _note(self, nodeid: str) -> None:
        if nodeid.partition("[")[0] not in self._allowed:
            self.unexplained.append(nodeid)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Skips(), "unexplained-skips")
