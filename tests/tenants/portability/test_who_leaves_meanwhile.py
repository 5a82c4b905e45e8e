"""An export is its asker's: when they are deactivated in the middle of it, nothing of it is given out."""

import contextvars
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tenants.access.caller import SYSTEM, act_as
from tenants.isolation.door import inside
from tenants.isolation.files import files
from tenants.portability.bundling import Bundling
from tenants.portability.jobs import expire_exports
from tests.jobs import RunJobs
from tests.tenants.identity.people.test_deactivation import colleague, deactivate
from tests.workspace import Workspace


def test_an_export_stops_when_whoever_asked_for_it_is_deactivated_in_the_middle(
    new_workspace: Callable[[], Workspace],
    neighbour: Workspace,
    run_jobs: RunJobs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workspace = new_workspace()
    boss = colleague(workspace, "admin")
    path = f"/exports/{boss.post('/exports', {}).json['id']}"
    real, answers = Bundling.pieces, []

    def pieces(bundling: Bundling) -> Iterator[Any]:
        for piece in real(bundling):
            if not answers:
                answers.append(contextvars.Context().run(lambda: deactivate(workspace, boss)).status_code)
            yield piece

    monkeypatch.setattr(Bundling, "pieces", pieces)
    run_jobs()

    assert answers == [200]
    ended = workspace.admin.get(path).json
    assert (ended["status"], ended["sha256"]) == ("failed", None)
    assert workspace.admin.get(f"{path}/download").status_code in (404, 409)
    assert neighbour.admin.get(path).status_code == 404
    with inside(workspace.home):
        act_as(SYSTEM)
        expire_exports()
    with inside(workspace.home):
        assert list(files().list()) == []
