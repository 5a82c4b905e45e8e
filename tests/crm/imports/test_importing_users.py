"""A file of users gives nobody rights: neither by an address that somebody signs in with, nor by a team."""

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import select

from tenants.access.caller import SYSTEM, act_as
from tenants.identity.models import TeamRole, User, UserRole
from tenants.isolation.door import db, inside
from tests.tenants.identity.rights.people import person, role_id
from tests.uploads import brought_in, rejected
from tests.workspace import Client, Workspace

RunJobs = Callable[[], int]
LEFT_ALONE = (
    "This user can sign in: an import leaves their address alone. It is changed by a link to the new address."
)


@pytest.fixture(scope="module")
def ours(new_workspace: Callable[[], Workspace]) -> Workspace:
    return new_workspace()


@pytest.fixture(scope="module")
def clerk(ours: Workspace) -> Client:
    """Somebody who may bring in users and teams, and little else."""
    rights = dict.fromkeys([*_all_of("users"), *_all_of("teams"), "imports:create", "imports:read"], "all")
    made = ours.admin.in_person.post("/roles", {"name": "Clerk", "permissions": rights})
    assert made.status_code == 201, made.json
    clerk = person(ours, "Clara Clerk")
    given = ours.admin.in_person.put(f"/users/{clerk.user_id}/roles", {"role_ids": [made.json["id"]]})
    assert given.status_code == 200, given.json
    return clerk


def _all_of(resource: str) -> list[str]:
    return [f"{resource}:{action}" for action in ("read", "create", "edit")]


def address_of(workspace: Workspace, user_id) -> str | None:
    return workspace.admin.get(f"/users/{user_id}").json["email"]


def user(workspace: Workspace, name: str, **said) -> User:
    with inside(workspace.home):
        act_as(SYSTEM)
        made = User(name=name, source="system", **said)
        db().add(made)
        db().flush()
        db().expunge(made)
        return made


def test_nobody_who_signs_in_gets_another_address(
    ours: Workspace, clerk: Client, neighbour: Workspace, run_jobs: RunJobs
) -> None:
    before, theirs = address_of(ours, ours.sales.user_id), address_of(neighbour, neighbour.sales.user_id)
    text = (
        "Id,Email,Office\n"
        f"{ours.sales.user_id},evil@elsewhere.test,Rome\n"
        f"{neighbour.sales.user_id},other@elsewhere.test,Rome\n"
    )
    for client in (ours.admin, clerk):
        done = brought_in(client, run_jobs, text, "users", mode="update", match_on="id")
        assert done["counts"]["rejected"] == 2, done
        first, second = rejected(client, done)
        assert LEFT_ALONE in first
        assert "No user has this value." in second
    assert address_of(ours, ours.sales.user_id) == before
    assert address_of(neighbour, neighbour.sales.user_id) == theirs
    assert ours.admin.get(f"/users/{ours.sales.user_id}").json["office"] is None


@pytest.mark.parametrize("state", ["invited", "inactive"])
def test_who_was_invited_or_has_left_keeps_the_address(
    ours: Workspace, neighbour: Workspace, run_jobs: RunJobs, state: str
) -> None:
    kept = user(ours, f"Kept {state}", email=f"{state}@ours.test", state=state)
    text = f"Id,Email\n{kept.id},other-{state}@ours.test\n"
    done = brought_in(ours.admin, run_jobs, text, "users", mode="update", match_on="id")
    assert done["counts"]["rejected"] == 1, done
    assert address_of(ours, kept.id) == f"{state}@ours.test"


def test_who_cant_sign_in_yet_gets_an_address(
    ours: Workspace, clerk: Client, neighbour: Workspace, run_jobs: RunJobs
) -> None:
    plain = user(ours, "Paul Plain")
    text = f"Id,Email\n{plain.id},paul@ours.test\n"
    done = brought_in(clerk, run_jobs, text, "users", mode="update", match_on="id")
    assert done["counts"]["updated"] == 1, done
    assert address_of(ours, plain.id) == "paul@ours.test"


def test_an_address_for_roles_beyond_ones_own_is_refused(
    ours: Workspace, clerk: Client, neighbour: Workspace, run_jobs: RunJobs
) -> None:
    strong = user(ours, "Sven Strong")
    admins = UUID(role_id(ours, "admin"))
    with inside(ours.home):
        act_as(SYSTEM)
        db().add(UserRole(user_id=strong.id, role_id=admins))
    text = f"Id,Email\n{strong.id},mine@elsewhere.test\n"
    done = brought_in(clerk, run_jobs, text, "users", mode="update", match_on="id")
    assert done["counts"]["rejected"] == 1, done
    assert "The roles of this user hold more than you have yourself." in rejected(clerk, done)[0]
    assert address_of(ours, strong.id) is None
    allowed = brought_in(ours.admin, run_jobs, text, "users", mode="update", match_on="id")
    assert allowed["counts"]["updated"] == 1, allowed


def test_nobody_is_put_over_a_team_that_gives_more(
    ours: Workspace, clerk: Client, neighbour: Workspace, run_jobs: RunJobs
) -> None:
    team = ours.admin.post("/teams", {"name": "Clara Clerk"}).json
    admins = UUID(role_id(ours, "admin"))
    with inside(ours.home):
        act_as(SYSTEM)
        db().add(TeamRole(team_id=UUID(team["id"]), role_id=admins))
    text = "Name,Manager\nNora New,Clara Clerk\n"
    mapping = {"Name": "name", "Manager": "team.manager"}
    done = brought_in(clerk, run_jobs, text, "users", mapping=mapping)
    assert done["counts"]["rejected"] == 1, done
    assert "Manager: The roles of this team hold more than you have yourself." in rejected(clerk, done)[0]
    assert ours.admin.get(f"/teams/{team['id']}").json["manager_id"] is None
    with inside(ours.home):
        act_as(SYSTEM)
        assert db().scalar(select(User.team_id).where(User.name == "Clara Clerk")) is None


def test_nobody_is_put_over_a_team_whose_records_are_out_of_reach(
    ours: Workspace, clerk: Client, neighbour: Workspace, run_jobs: RunJobs
) -> None:
    """Whoever has a role that reaches the records of their teams would reach those of this one."""
    reaching = person(ours, "Rita Reaching", "manager")
    team = ours.admin.post("/teams", {"name": "Far away"}).json["id"]
    text = f"Id,Manager\n{team},Rita Reaching\n"
    options = {"mode": "update", "match_on": "id", "mapping": {"Id": "id", "Manager": "manager.name"}}
    done = brought_in(clerk, run_jobs, text, "teams", **options)
    assert done["counts"]["rejected"] == 1, done
    assert ours.admin.get(f"/teams/{team}").json["manager_id"] is None
    allowed = brought_in(ours.admin, run_jobs, text, "teams", **options)
    assert allowed["counts"]["updated"] == 1, allowed
    assert ours.admin.get(f"/teams/{team}").json["manager_id"] == str(reaching.user_id)
