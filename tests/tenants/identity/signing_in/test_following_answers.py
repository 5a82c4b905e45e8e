"""What was asked about an address doesn't show in how fast the same process answers whatever is asked next."""

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete

from tenants.foundation.afterwards import afterwards
from tenants.jobs.errands import Errands
from tenants.jobs.models import Errand
from tests.persons import Person
from tests.settled import errands_of
from tests.timing import fair, took_longer

PAIRS = 120
REQUESTS = 3
WAYS = {
    "/password-resets": ({}, 202),
    "/workspace-reminders": ({}, 202),
    "/archives/links": ({}, 202),
    "/sessions": ({"password": "wrong one here"}, 401),
}

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600), pytest.mark.usefixtures("unhurried", "roomy")]


@pytest.fixture
def roomy(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Any number of asks; none of them is done, or is there when the test is over."""
    monkeypatch.setattr(app.extensions["house"].limits, "hit", lambda *_: None)
    yield
    with app.extensions["house"].catalog.transaction() as session:
        session.execute(delete(Errand))


def followed_longer(person: Person, path: str) -> int:
    """In how many pairs the requests right after asking about a known address took longer than about an unknown one."""
    browser, anybody = person.browser(), person.app.test_client()
    more, status = WAYS[path]

    def ask(email: str) -> None:
        assert browser.post(path, {"email": email, **more}).status_code == status

    def health() -> None:
        for _ in range(REQUESTS):
            assert anybody.get("/health/ready").status_code == 200

    return took_longer(
        lambda: ask(person.email),
        lambda: ask(f"no{secrets.token_hex(6)}@example.test"),
        PAIRS,
        following=health,
    )


@pytest.mark.parametrize("path", WAYS)
def test_enumeration_by_the_time_of_the_answers_that_follow(
    perla: Person, stranger: Person, path: str
) -> None:
    assert followed_longer(perla, path) in fair(PAIRS)
    assert stranger.browser().sign_in(stranger).status_code == 201


@pytest.mark.parametrize("path", ["/password-resets", "/workspace-reminders"])
def test_the_time_of_the_answers_that_follow_would_show_work_in_the_same_process(
    perla: Person, stranger: Person, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: were errands done here after the answer, the same pairs would tell who exists."""
    plant: Callable[..., None] = Errands.plant

    def do_all() -> None:
        errands_of(perla.app).do_due()

    def plant_and_do(self: Errands, kind: str, *said: Any) -> None:
        plant(self, kind, *said)
        afterwards.do(do_all)

    monkeypatch.setattr(Errands, "plant", plant_and_do)
    assert followed_longer(perla, path) not in fair(PAIRS)
    assert stranger.browser().sign_in(stranger).status_code == 201
