"""One of ours tries visits that nobody gave them leave for: it is refused, and disturbs nobody who has leave."""

from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest

from tenants.isolation.bootstrap import Logins
from tenants.isolation.conninfo import conninfo
from tests.staff import Bureau
from tests.workspace import Workspace

pytestmark = pytest.mark.soak

Later = Callable[[timedelta], None]


def connections_of_staff(logins: Logins) -> set[int]:
    """The connections that the staff's login has, by the owner's word."""
    url = conninfo(logins.owner)
    with psycopg.connect(url) as connection:
        found = connection.execute("select pid from pg_stat_activity where usename = 'freehold_staff'")
        return {row[0] for row in found}


def test_a_visit_that_was_refused_leaves_the_list_of_visits_as_it_was(
    bureau: Bureau, tenant: Workspace, other: Workspace
) -> None:
    visit = bureau.visit(bureau.granted(tenant))
    for workspace in (tenant, other):
        refused = bureau.ann.post("/visits", {"grant_id": bureau.asked(workspace)["id"]})
        assert refused.status_code == 409, refused.json
    assert bureau.ann.get("/visits").json["data"][0]["id"] == visit.id
    visit.end()


def test_a_visit_that_was_refused_ends_nobodys_connection(
    bureau: Bureau, tenant: Workspace, other: Workspace, logins: Logins, later: Later
) -> None:
    visit = bureau.visit(bureau.granted(tenant))
    assert visit.get("/contacts").status_code == 200
    before = connections_of_staff(logins)
    assert before
    bureau.ann.post("/visits", {"grant_id": bureau.asked(other)["id"]})

    bureau.settle()
    later(timedelta(minutes=2))
    bureau.settle()

    assert before <= connections_of_staff(logins)
    assert visit.get("/contacts").status_code == 200
    visit.end()
