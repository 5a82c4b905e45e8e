"""One code or refresh token, and many who show it at the same moment: one answer is made; a refresh is echoed."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from tenants.foundation.identifiers import token_hash
from tenants.identity.oauth.models import OAuthToken
from tenants.isolation.door import db, inside
from tests.apps import App, register
from tests.workspace import Workspace

AT_ONCE = 4
TOKENS = OAuthToken.__table__
often = pytest.mark.parametrize(
    "tries", [pytest.param(3, id="some"), pytest.param(50, id="fifty", marks=pytest.mark.soak)]
)


def at_once(ask: Callable[[], Any]) -> list[Any]:
    answers: list[Any] = []
    barrier = threading.Barrier(AT_ONCE)

    def one() -> None:
        barrier.wait()
        answers.append(ask())

    threads = [threading.Thread(target=one) for _ in range(AT_ONCE)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return answers


def tokens_of_the_family(workspace: Workspace, secret: str, kind: str) -> int:
    with inside(workspace.home):
        family = select(TOKENS.c.connected_app_id).where(TOKENS.c.hash == token_hash(secret))
        query = select(func.count()).where(TOKENS.c.connected_app_id == family.scalar_subquery())
        return db().scalar(query.where(TOKENS.c.kind == kind)) or 0


@pytest.mark.timeout(600)
@often
def test_parallel_redemption_of_one_code(acme: Workspace, neighbour: Workspace, tries: int) -> None:
    theirs = register(neighbour, "contacts:read").connected(neighbour.sales)["access_token"]
    for number in range(tries):
        app = register(acme, "contacts:read", confidential=bool(number % 2))
        code = app.code(acme.sales)
        answers = at_once(lambda: app.exchange(code))  # noqa: B023 - it is called in this round
        won = [each.json for each in answers if each.status_code == 200]
        lost = {(each.status_code, each.json["error"]) for each in answers if each.status_code != 200}
        assert (len(won), lost) == (1, {(400, "invalid_grant")})
        assert tokens_of_the_family(acme, code, "access") == 1
        assert app.get("/contacts", won[0]["access_token"]).status_code == 401, "a code came twice"
    assert app.get("/contacts", theirs).status_code == 200


@pytest.mark.timeout(600)
@often
def test_parallel_refresh_with_one_token_makes_one_successor_and_echoes_it(
    acme: Workspace, neighbour: Workspace, tries: int
) -> None:
    app = register(acme, "contacts:read")
    theirs = register(neighbour, "contacts:read").connected(neighbour.sales)["access_token"]
    tokens = app.connected(acme.sales)
    for _ in range(tries):
        refresh = tokens["refresh_token"]
        before = {kind: tokens_of_the_family(acme, refresh, kind) for kind in ("refresh", "access")}
        answers = at_once(lambda: app.refresh(refresh))  # noqa: B023 - it is called in this round
        assert {each.status_code for each in answers} == {200}
        assert len({each.json["refresh_token"] for each in answers}) == 1, "there is one successor"
        assert len({each.json["access_token"] for each in answers}) == 1
        after = {kind: tokens_of_the_family(acme, refresh, kind) for kind in before}
        assert after["refresh"] == before["refresh"] + 1, "the others got its echo"
        assert after["access"] == before["access"] + 1
        tokens = answers[0].json
        assert app.get("/contacts", tokens["access_token"]).status_code == 200
    assert app.get("/contacts", theirs).status_code == 200


def test_disconnecting_while_a_refresh_is_under_way(acme: Workspace, neighbour: Workspace) -> None:
    app = register(acme, "contacts:read")
    tokens = app.connected(acme.sales)
    (mine,) = acme.sales.get(f"/connected-apps?oauth_client_id={app.id}").json["data"]
    done: list[Any] = []
    refreshing = threading.Thread(target=lambda: done.append(app.refresh(tokens["refresh_token"])))
    refreshing.start()
    assert acme.sales.in_person.delete(f"/connected-apps/{mine['id']}").status_code == 204
    refreshing.join()
    if done[0].status_code == 200:
        tokens = done[0].json
    assert app.get("/contacts", tokens["access_token"]).status_code == 401
    assert _alive(register(neighbour, "contacts:read"), neighbour)


def test_an_app_disconnected_under_load_is_out_for_whoever_asks_next(
    acme: Workspace, neighbour: Workspace
) -> None:
    app = register(acme, "contacts:read")
    token = app.connected(acme.sales)["access_token"]
    (mine,) = acme.sales.get(f"/connected-apps?oauth_client_id={app.id}").json["data"]
    over, begun = threading.Event(), threading.Barrier(AT_ONCE + 1)
    seen: list[tuple[bool, int]] = []

    def ask() -> None:
        begun.wait()
        late = False
        while not late:
            late = over.is_set()
            seen.append((late, app.get("/contacts?limit=1", token).status_code))

    threads = [threading.Thread(target=ask) for _ in range(AT_ONCE)]
    for each in threads:
        each.start()
    begun.wait()
    assert acme.sales.in_person.delete(f"/connected-apps/{mine['id']}").status_code == 204
    over.set()
    for each in threads:
        each.join()
    assert {status for late, status in seen if late} == {401}
    assert {status for _, status in seen} <= {200, 401}
    assert _alive(register(neighbour, "contacts:read"), neighbour)


def _alive(app: App, workspace: Workspace) -> bool:
    return app.get("/contacts", app.connected(workspace.sales)["access_token"]).status_code == 200
