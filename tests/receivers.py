"""A receiver of webhooks, on loopback, that checks signatures with the library that receivers use."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import update
from standardwebhooks.webhooks import Webhook as Verifier

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.isolation.door import db, inside
from tenants.jobs.accepting import announce_after_commit
from tenants.jobs.models import Job
from tenants.notices.kinds import notice_kind
from tenants.notices.models import Notice
from tenants.notices.telling import tell
from tenants.webhooks.jobs import deliver
from tests.strangers import replying, web_server
from tests.workspace import Workspace

#: What the tests tell of.
SNOWED = notice_kind("weather.snowed", "It snowed on the roof")


@dataclass
class Receiver:
    """What came, and how the next ones are answered."""

    port: int = 0
    answer: Callable[[Any], None] = field(default_factory=lambda: replying(204))
    came: list[Any] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def verified(self, secret: str) -> list[dict[str, Any]]:
        """Each body that came, after its signature was checked with this secret."""
        return [dict(Verifier(secret).verify(each.body, dict(each.headers.items()))) for each in self.came]

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(each.body) for each in self.came]


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    receiver = Receiver()

    def serve(handler: Any) -> None:
        receiver.came.append(server.requests[-1])
        receiver.answer(handler)

    with web_server(serve) as server:
        receiver.port = server.port
        yield receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


def set_up(workspace: Workspace, url: str, **said: Any) -> dict[str, Any]:
    """A webhook with its secret, as an admin sets it up."""
    answer = workspace.admin.in_person.post("/webhooks", {"name": "Ours", "url": url, **said})
    assert answer.status_code == 201, answer.json
    return answer.json


def snow(workspace: Workspace, key: str | None = None) -> Notice | None:
    """Tell a tenant that it snowed."""
    with inside(workspace.home):
        act_as(SYSTEM)
        return tell(SNOWED, "It snowed on your roof", "Half a metre, and more to come.", key=key)


def wait_no_longer(workspace: Workspace) -> None:
    """The next attempts of all deliveries are due now."""
    with inside(workspace.home):
        act_as(SYSTEM)
        waiting = (Job.kind == deliver.name, Job.state == "ready")
        db().execute(update(Job).where(*waiting).values(run_at=now()))
        announce_after_commit()


def deliveries(workspace: Workspace, webhook: dict[str, Any]) -> list[dict[str, Any]]:
    """Of one webhook, oldest first."""
    answer = workspace.admin.get(f"/webhooks/{webhook['id']}/deliveries?sort=created_at")
    assert answer.status_code == 200, answer.json
    return answer.json["data"]
