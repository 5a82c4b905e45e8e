"""Nothing is ever sent to an address inside: neither when a webhook is set up nor when its name leads elsewhere later."""

from collections.abc import Iterator

import pytest
from sqlalchemy import update

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.outbound import Outbound
from tenants.foundation.way_out import outbound, use_outbound
from tenants.isolation.door import db, inside
from tenants.webhooks.models import Webhook
from tests.jobs import RunJobs
from tests.receivers import Receiver, deliveries, set_up, snow
from tests.strangers import replying
from tests.workspace import Workspace, in_both

NAMES = {
    "hooks.example.com": ["93.184.215.14"],
    "inside.example.com": ["10.0.0.7"],
    "both.example.com": ["93.184.215.14", "127.0.0.1"],
    "metadata.example.com": ["169.254.169.254"],
    "six.example.com": ["fd00::1"],
    "mapped.example.com": ["::ffff:10.0.0.7"],
    "nat64.example.com": ["64:ff9b::a00:7"],
}


@pytest.fixture
def as_in_production() -> Iterator[None]:
    """The door out as it is outside of tests, with a resolver of the tests."""
    before = outbound()

    def look_up(host: str, _port: int) -> list[str]:
        if host not in NAMES and not host.replace(".", "").isdigit() and ":" not in host:
            raise OSError("There is no such name.")
        return NAMES.get(host, [host])

    use_outbound(Outbound(resolver=look_up))
    yield
    use_outbound(before)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/hook",
        "https://[::1]/hook",
        "https://[::ffff:127.0.0.1]/hook",
        "https://[::ffff:7f00:1]/hook",
        "https://[64:ff9b::7f00:1]/hook",
        "https://[2002:7f00:1::]/hook",
        "https://[fe80::1]/hook",
        "https://169.254.169.254/latest/meta-data/",
        "https://[fd00:ec2::254]/latest/meta-data/",
        "https://10.0.0.7/",
        "https://0.0.0.0/",
        "https://inside.example.com/hook",
        "https://both.example.com/hook",
        "https://metadata.example.com/hook",
        "https://six.example.com/hook",
        "https://mapped.example.com/hook",
        "https://nat64.example.com/hook",
        "https://nobody.example.com/hook",
        "http://hooks.example.com/hook",
        "https://hooks.example.com:8443/hook",
        "https://me:secret@hooks.example.com/hook",
        "https://hooks.example.com\\@127.0.0.1/",
        "ftp://hooks.example.com/",
        "file:///etc/passwd",
        "hooks.example.com",
    ],
)
@pytest.mark.usefixtures("as_in_production")
def test_what_is_no_public_address_is_refused_when_it_is_named(
    ours: Workspace, neighbour: Workspace, url: str
) -> None:
    refused = ours.admin.in_person.post("/webhooks", {"name": "Theirs", "url": url})
    assert refused.status_code == 422, refused.json
    assert refused.json["errors"].keys() == {"url"}
    assert ours.admin.get("/webhooks").json["data"] == []
    assert in_both("/webhooks", ours.admin, neighbour.admin) == []


@pytest.mark.usefixtures("as_in_production")
def test_a_public_address_is_taken_and_changed_to_no_other(ours: Workspace, neighbour: Workspace) -> None:
    made = set_up(ours, "https://hooks.example.com/hook?id=1")
    path = f"/webhooks/{made['id']}"
    assert ours.admin.in_person.patch(path, {"url": "https://inside.example.com/"}).status_code == 422
    assert ours.admin.get(path).json["url"] == "https://hooks.example.com/hook?id=1"
    assert neighbour.admin.in_person.patch(path, {"url": "https://hooks.example.com/"}).status_code == 404


@pytest.mark.parametrize(
    "host", ["inside.example.com", "both.example.com", "metadata.example.com", "127.0.0.1"]
)
@pytest.mark.usefixtures("as_in_production")
def test_a_name_that_leads_inside_later_gets_nothing(
    ours: Workspace, neighbour: Workspace, receiver: Receiver, run_jobs: RunJobs, host: str
) -> None:
    """As when its DNS was changed after the webhook was set up: each attempt looks anew, once, and pins what it saw."""
    made = set_up(ours, "https://hooks.example.com/hook")
    with inside(ours.home):
        act_as(SYSTEM)
        url = f"https://{host}:{receiver.port}/" if host == "127.0.0.1" else f"https://{host}/"
        row = update(Webhook.__table__).where(Webhook.__table__.c.name == "Ours")
        db().connection().execute(row.values(url=url))
    snow(ours)
    run_jobs()
    (delivery,) = deliveries(ours, made)
    assert (delivery["state"], delivery["status_code"], delivery["attempts"]) == ("pending", None, 1)
    assert delivery["error"]
    assert receiver.came == []
    assert neighbour.admin.get(f"/webhook-deliveries/{delivery['id']}").status_code == 404


def test_a_redirect_is_not_followed(
    ours: Workspace, neighbour: Workspace, receiver: Receiver, run_jobs: RunJobs
) -> None:
    made = set_up(ours, receiver.url)
    receiver.answer = replying(302, Location=f"http://127.0.0.1:{receiver.port}/elsewhere")
    snow(ours)
    run_jobs()
    (delivery,) = deliveries(ours, made)
    assert (delivery["state"], delivery["status_code"]) == ("pending", 302)
    assert "nobody follows" in delivery["error"]
    assert [each.path for each in receiver.came] == ["/hook"]
    assert neighbour.admin.get(f"/webhook-deliveries/{delivery['id']}").status_code == 404


def test_an_answer_that_never_ends_is_none(
    ours: Workspace, neighbour: Workspace, receiver: Receiver, run_jobs: RunJobs
) -> None:
    made = set_up(ours, receiver.url)
    receiver.answer = replying(200, b"x" * 20_000)
    snow(ours)
    run_jobs()
    (delivery,) = deliveries(ours, made)
    assert (delivery["state"], delivery["status_code"], delivery["excerpt"]) == ("pending", None, None)
    assert "more than" in delivery["error"]
    assert neighbour.admin.get(f"/webhook-deliveries/{delivery['id']}").status_code == 404
