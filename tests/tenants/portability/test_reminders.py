"""Admins are reminded when nobody has made a copy of everything for long, once, until there was another."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.clock import now
from tenants.isolation.door import inside
from tenants.portability.reminding import QUIET, remind_of_copies
from tests.jobs import RunJobs
from tests.mails import posted
from tests.workspace import Workspace

DAY = timedelta(days=1)


def reminded(workspace: Workspace, after: timedelta) -> bool:
    """Whether the admins are reminded by the job that looks after so long."""
    with inside(workspace.home):
        act_as(SYSTEM, request_id="test")
        return remind_of_copies(now() + after)


def notices(workspace: Workspace) -> list[str]:
    found = workspace.admin.get("/notices?kind=exports.none_lately").json["data"]
    return [each["text"] for each in found]


@pytest.mark.soak
@pytest.mark.promise("4-24")
def test_admins_are_reminded_once_when_nobody_makes_a_copy_until_there_was_another(
    new_workspace: Callable[[], Workspace], neighbour: Workspace, run_jobs: RunJobs
) -> None:
    tenant = new_workspace()
    assert not reminded(tenant, QUIET - DAY)
    assert [reminded(tenant, QUIET + DAY), reminded(tenant, QUIET + 2 * DAY)] == [True, False]
    (text,) = notices(tenant)
    assert f"since {now():%Y-%m-%d}" in text
    address = tenant.admin.get("/me").json["user"]["email"]
    (mail,) = [each for each in posted(tenant, address) if "Nobody has made a copy" in each.subject]
    assert mail.text.startswith(text)

    assert tenant.admin.post("/exports", {"resources": [{"resource": "contacts"}]}).status_code == 202
    run_jobs()
    assert not reminded(tenant, QUIET + DAY)  # a part of it is no copy, and of having none they know
    assert tenant.admin.post("/exports", {}).status_code == 202
    run_jobs()
    assert not reminded(tenant, QUIET - DAY)
    assert [reminded(tenant, QUIET + DAY), reminded(tenant, QUIET + 2 * DAY)] == [True, False]
    assert len(notices(tenant)) == 2
    assert notices(neighbour) == []
