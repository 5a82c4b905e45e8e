"""Whoever is slow to send takes no slot from others, and can't have all the waiting to themselves."""

import io
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import Client, EnvironBuilder, run_wsgi_app
from werkzeug.wrappers import Response

from tenants.http.slots import SHORT, Slots
from tests.workspace import Workspace

SENT = b'{"last_name": "Slow"}'
HERE, ELSEWHERE = "2001:db8::1", "2001:db8::2"
MOST = 3


class Slow(io.RawIOBase):
    """A body of which no byte comes before it may; whether anybody waits for it."""

    def __init__(self, content: bytes = SENT) -> None:
        self.awaited, self.may_come = Event(), Event()
        self._content = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        self.awaited.set()
        assert self.may_come.wait(30)
        return self._content.read(size)


@pytest.fixture
def slots(app: Flask) -> Slots:
    """One slot for all."""
    return Slots(app.wsgi_app, 1, waiting_each=MOST)


@pytest.fixture
def begun(slots: Slots) -> Iterator[Callable[..., tuple[Slow, Future[Response]]]]:
    """Begins to send a contact, and says when somebody waits for the rest."""
    slow: list[Slow] = []
    with ThreadPoolExecutor(10) as pool:

        def begin(who: Workspace, length: int | None, *, address: str = HERE) -> Any:
            body = Slow() if length is None else Slow(SENT.ljust(length))
            slow.append(body)
            sending = pool.submit(post, slots, who, body, length, address)
            assert body.awaited.wait(30)
            return body, sending

        try:
            yield begin
        finally:
            for each in slow:
                each.may_come.set()


def post(slots: Slots, who: Workspace, body: Any, length: int | None, address: str = HERE) -> Response:
    said = EnvironBuilder(
        path="/api/v1/contacts", method="POST", content_type="application/json",
        headers={"Authorization": f"Bearer {who.admin.key}"}, environ_overrides={"REMOTE_ADDR": address},
    ).get_environ()  # fmt: skip
    said |= {"wsgi.input": body, "wsgi.input_terminated": True}
    if length is not None:
        said["CONTENT_LENGTH"] = str(length)
    return Response(*run_wsgi_app(slots, said))


def status(slots: Slots, who: Workspace, path: str = "/api/v1/me") -> int:
    return Client(slots).get(path, headers={"Authorization": f"Bearer {who.admin.key}"}).status_code


@pytest.mark.parametrize("length", [len(SENT), SHORT + 1, None], ids=["short", "long", "chunked"])
def test_others_are_answered_while_somebody_sends(
    acme: Workspace, neighbour: Workspace, slots: Slots, begun: Any, length: int | None
) -> None:
    senders = [begun(who, length, address=at) for who, at in ((acme, HERE), (neighbour, ELSEWHERE))]
    assert [status(slots, who) for who in (acme, neighbour)] == [200, 200]
    assert not any(sending.done() for _, sending in senders)
    for body, _ in senders:
        body.may_come.set()
    mine, theirs = (sending.result(30) for _, sending in senders)
    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert status(slots, neighbour, f"/api/v1/contacts/{mine.json['id']}") == 404


@pytest.mark.parametrize("length", [len(SENT), SHORT + 1, None], ids=["short", "long", "chunked"])
def test_one_address_can_not_have_all_the_waiting(
    acme: Workspace, neighbour: Workspace, slots: Slots, begun: Any, length: int | None
) -> None:
    for _ in range(MOST):
        begun(acme, length)
    at_once = io.BytesIO(SENT.ljust(length or 0))
    refused = post(slots, acme, at_once, length)
    assert (refused.status_code, refused.json["code"]) == (503, "unavailable")
    assert "your address" in refused.json["detail"]
    assert status(slots, acme) == 200
    assert post(slots, neighbour, io.BytesIO(SENT), None, ELSEWHERE).status_code == 201


def test_who_goes_away_gives_back_what_they_had(acme: Workspace, neighbour: Workspace, slots: Slots) -> None:
    class Gone(io.RawIOBase):
        def read(self, _size: int = -1) -> bytes:
            raise ConnectionResetError("Gone.")

    for _ in range(MOST + 1):
        for length in (len(SENT), SHORT + 1, None):
            assert post(slots, acme, Gone(), length).status_code == 400
    assert post(slots, acme, io.BytesIO(SENT), None).status_code == 201
    assert status(slots, neighbour) == 200


def test_no_more_are_at_work_than_there_are_slots(acme: Workspace, neighbour: Workspace, app: Flask) -> None:
    at_work, most, enough = [0], [0], Event()

    def serve(environ: dict[str, Any], start_response: Any) -> Any:
        at_work[0] += 1
        most[0] = max(most[0], at_work[0])
        enough.wait(0.02)
        try:
            return app.wsgi_app(environ, start_response)
        finally:
            at_work[0] -= 1

    slots = Slots(serve, 2, waiting_each=MOST)
    with ThreadPoolExecutor(8) as pool:
        for answer in [pool.submit(status, slots, who) for who in (acme, neighbour) * 8]:
            assert answer.result(30) == 200
    assert most == [2]
