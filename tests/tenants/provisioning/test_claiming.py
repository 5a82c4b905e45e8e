"""A tenant that is being filled is not swept away while its maker lives, and is once that is gone."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest

from tenants.catalog.models import State
from tenants.catalog.registry import Home
from tenants.foundation.clock import now
from tenants.provisioning import keeping
from tenants.provisioning.birth import Nursery
from tests.workspace import Workspace


def _state(nursery: Nursery, home: Home) -> str | None:
    return nursery.catalog.state_of(home.id)


def test_a_claim_is_kept_however_silent_its_maker_is(
    nursery: Nursery, neighbour: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "EVERY_SECONDS", 0.01)
    said, note, forgotten_at = threading.Event(), Nursery._note, list[datetime]()

    def noted(ours: Nursery, home: Home, **values: Any) -> None:
        note(ours, home, **values)
        if forgotten_at and values["claimed_at"] > forgotten_at[0]:
            said.set()

    monkeypatch.setattr(Nursery, "_note", noted)
    maker = nursery.claimed("kept-claim", "Kept")
    home = maker.__enter__()
    note(nursery, home, claimed_at=now() - timedelta(days=1))
    forgotten_at.append(now())
    assert said.wait(30)
    nursery.sweep()
    assert _state(nursery, home) is State.CLAIMED
    assert not maker.__exit__(InterruptedError, InterruptedError(), None)
    nursery.sweep()
    assert _state(nursery, home) is None
    assert neighbour.admin.get("/contacts").status_code == 200
