"""A secret that works once works once, however many show it at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.errors import Conflict
from tenants.identity.one_time import give, take, withdraw
from tenants.isolation.door import inside
from tests.workspace import Workspace

AN_HOUR = timedelta(hours=1)


def given(workspace: Workspace, lasts: timedelta = AN_HOUR) -> str:
    with inside(workspace.home):
        act_as(SYSTEM)
        return give("reset", lasts=lasts, user_id=workspace.admin.user_id, note="a\u0308")


def taken(workspace: Workspace, token: str, kind: str = "reset") -> bool:
    with inside(workspace.home):
        act_as(SYSTEM)
        try:
            found = take(kind, token)
        except Conflict:
            return False
        assert (found.user_id, found.details) == (workspace.admin.user_id, {"note": "a\u0308"})
        return True


def test_a_secret_is_taken_once_by_one_of_many(acme: Workspace) -> None:
    with ThreadPoolExecutor(6) as pool:
        for _ in range(10):
            token = given(acme)
            assert sum(pool.map(lambda token: taken(acme, token), [token] * 6)) == 1


@pytest.mark.parametrize("wrong", ["old", "other kind", "neighbour", "withdrawn", "nonsense"])
def test_what_is_not_good_any_more_opens_nothing(acme: Workspace, neighbour: Workspace, wrong: str) -> None:
    token = given(acme, timedelta(0) if wrong == "old" else AN_HOUR)
    if wrong == "withdrawn":
        with inside(acme.home):
            act_as(SYSTEM)
            withdraw("reset", acme.admin.user_id)
    assert not taken(
        neighbour if wrong == "neighbour" else acme,
        "fho_x" if wrong == "nonsense" else token,
        "invitation" if wrong == "other kind" else "reset",
    )
