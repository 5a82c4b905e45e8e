"""Teams are a tree: every team knows the teams above it, whoever moves what at the same moment."""

import secrets
import threading
from collections import Counter
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from tenants.access.caller import SYSTEM, act_as
from tenants.foundation.tables import Source
from tenants.identity.models import Team, User
from tenants.identity.people.tree import DEEPEST
from tenants.isolation.door import db, inside
from tests.workspace import Client, Workspace, signed_in

NEVER = "00000000-0000-7000-8000-000000000000"


def make(workspace: Workspace, parent: str | None = None, **said: Any) -> str:
    body = {"name": f"Team {secrets.token_hex(6)}", "parent_id": parent, **said}
    answer = workspace.admin.post("/teams", body)
    assert answer.status_code == 201, answer.json
    return str(answer.json["id"])


def chain(workspace: Workspace, length: int) -> list[str]:
    """Teams of which each is below the one before."""
    made: list[str] = []
    for _ in range(length):
        made.append(make(workspace, made[-1] if made else None))
    return made


def move(workspace: Workspace, team: str, parent: str | None) -> Any:
    return workspace.admin.patch(f"/teams/{team}", {"parent_id": parent})


def path(workspace: Workspace, team: str) -> list[str]:
    found: list[str] = workspace.admin.get(f"/teams/{team}").json["path"]
    return found


def assert_paths_hold(workspace: Workspace) -> None:
    """Every path is what following the parents upwards gives, and ends."""
    with inside(workspace.home):
        teams = {each.id: each for each in db().scalars(select(Team))}
        for team in teams.values():
            above: list[UUID] = []
            parent = team.parent_id
            while parent is not None:
                assert parent not in above, "a circle"
                above.insert(0, parent)
                parent = teams[parent].parent_id
            assert team.path == above
            assert len(above) < DEEPEST


def test_moving_a_team_takes_along_all_that_is_below_it(acme, neighbour):
    top, middle, low = chain(acme, 3)
    elsewhere = make(acme)

    answer = move(acme, middle, elsewhere)

    assert answer.json["path"] == [elsewhere]
    assert path(acme, low) == [elsewhere, middle]
    assert move(acme, middle, None).json["path"] == []
    assert path(acme, low) == [middle]
    assert path(acme, top) == []
    assert move(neighbour, middle, None).status_code == 404
    assert move(acme, middle, make(neighbour)).status_code == 422


def test_a_team_is_never_below_itself(acme):
    top, middle, low = chain(acme, 3)

    for place in (top, middle, low):
        answer = move(acme, top, place)
        assert answer.status_code == 422
        assert answer.json["errors"] == {"parent_id": ["A team can't be below itself."]}
    assert path(acme, low) == [top, middle]


def test_teams_go_so_deep_and_no_deeper(acme):
    deep = chain(acme, DEEPEST)
    two = chain(acme, 2)

    below = acme.admin.post("/teams", {"name": f"Too deep {secrets.token_hex(4)}", "parent_id": deep[-1]})
    moved = move(acme, two[0], deep[-2])

    for answer in (below, moved):
        assert answer.status_code == 422
        assert answer.json["errors"] == {"parent_id": [f"Teams go at most {DEEPEST} deep."]}
    assert move(acme, two[0], deep[-3]).status_code == 200


def test_a_place_that_is_not_there_is_refused(acme):
    answers = [acme.admin.post("/teams", {"name": "Lost", "parent_id": NEVER}), move(acme, make(acme), NEVER)]

    for answer in answers:
        assert answer.status_code == 422
        assert answer.json["errors"] == {"parent_id": ["There is no such record."]}


def test_two_teams_that_move_below_each_other_at_once_make_no_circle(new_workspace):
    acme = new_workspace()
    answers: Counter[tuple[int, int]] = Counter()
    for _ in range(10):
        one, other = chain(acme, 2)[0], chain(acme, 2)[0]
        given: dict[str, int] = {}
        start = threading.Barrier(2)

        def go(team: str, parent: str, start=start, given=given) -> None:
            start.wait()
            given[team] = move(acme, team, parent).status_code

        threads = [threading.Thread(target=go, args=pair) for pair in ((one, other), (other, one))]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        answers[tuple(sorted(given.values()))] += 1  # type: ignore[index]

    assert answers == {(200, 422): 10}
    assert_paths_hold(acme)


@pytest.mark.soak
def test_a_tree_that_many_move_in_at_once_stays_a_tree(new_workspace):
    acme = new_workspace()
    teams = chain(acme, 5) + chain(acme, 4) + [make(acme) for _ in range(3)]
    start = threading.Barrier(6)

    def go(seed: int) -> None:
        start.wait()
        for turn in range(20):
            move(acme, teams[(seed * 7 + turn * 5) % len(teams)], teams[(seed * 3 + turn) % len(teams)])

    threads = [threading.Thread(target=go, args=(seed,)) for seed in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert_paths_hold(acme)


def test_whoever_reaches_sub_teams_sees_what_was_moved_below_theirs(new_workspace):
    acme = new_workspace()
    role = acme.admin.in_person.post(
        "/roles", {"name": "Reader of sub-teams", "permissions": {"contacts:read": "subteams"}}
    ).json
    with inside(acme.home):
        act_as(SYSTEM)
        lead = User(name="Lea Lead", email=f"{secrets.token_hex(4)}@x.test", source=Source.SYSTEM)
        db().add(lead)
    region, branch = make(acme), make(acme)
    put = acme.admin.in_person.put(f"/users/{lead.id}/roles", {"role_ids": [role["id"]]})
    assert put.status_code == 200, put.json
    assert acme.admin.patch(f"/teams/{region}", {"manager_id": str(lead.id)}).status_code == 200
    contact = acme.admin.post("/contacts", {"last_name": "Below", "team_id": branch}).json
    with inside(acme.home):
        client = Client(acme.admin.flask, "", lead.id, session=signed_in(acme.home, lead.id))

    assert client.get(f"/contacts/{contact['id']}").status_code == 404
    move(acme, branch, region)
    assert client.get(f"/contacts/{contact['id']}").status_code == 200
    move(acme, branch, None)
    assert client.get(f"/contacts/{contact['id']}").status_code == 404


def test_members_come_and_go_and_each_time_is_on_record(acme, neighbour):
    team, user = make(acme), str(acme.read_only.user_id)

    for _ in range(2):
        assert acme.admin.put(f"/teams/{team}/members/{user}").status_code == 204
    assert team in acme.admin.get(f"/users/{user}").json["team_ids"]
    for _ in range(2):
        assert acme.admin.delete(f"/teams/{team}/members/{user}").status_code == 204
    assert team not in acme.admin.get(f"/users/{user}").json["team_ids"]

    events = acme.admin.get(f"/audit-events?record_id={team}&sort=at").json["data"]
    told = [(each["action"], each["changes"].get("user_id")) for each in events]
    assert ("teams.member_added", [None, user]) in told
    assert ("teams.member_removed", [user, None]) in told
    assert sum(action.startswith("teams.member") for action, _ in told) == 2
    strangers = f"/teams/{team}/members/{neighbour.sales.user_id}"
    assert acme.admin.put(strangers).status_code == 404
    assert neighbour.admin.put(f"/teams/{team}/members/{neighbour.sales.user_id}").status_code == 404


def test_a_team_goes_only_when_it_is_empty(acme, neighbour):
    top, low = chain(acme, 2)
    user = str(acme.read_only.user_id)

    def refused() -> tuple[int, str]:
        answer = acme.admin.delete(f"/teams/{low}")
        return answer.status_code, answer.json["code"]

    above = acme.admin.delete(f"/teams/{top}")
    assert (above.status_code, above.json["code"]) == (409, "team_not_empty")
    acme.admin.put(f"/teams/{low}/members/{user}")
    assert refused() == (409, "team_not_empty")
    acme.admin.delete(f"/teams/{low}/members/{user}")
    contact = acme.admin.post("/contacts", {"last_name": "Here", "team_id": low}).json
    assert refused() == (409, "still_referenced")
    acme.admin.delete(f"/contacts/{contact['id']}")
    assert neighbour.admin.delete(f"/teams/{low}").status_code == 404

    assert acme.admin.delete(f"/teams/{low}").status_code == 204
    assert acme.admin.get(f"/teams/{low}").status_code == 404
    assert acme.admin.delete(f"/teams/{top}").status_code == 204


def test_the_teams_of_a_user_are_put_as_a_whole(acme, neighbour):
    one, other = make(acme), make(acme)
    with inside(acme.home):
        act_as(SYSTEM)
        user = User(name="Tom Teams", source=Source.SYSTEM)
        db().add(user)
    address = f"/users/{user.id}/teams"

    both = acme.admin.put(address, {"team_ids": [one, other], "team_id": one}).json
    assert (sorted(both["team_ids"]), both["team_id"]) == (sorted([one, other]), one)
    less = acme.admin.put(address, {"team_ids": [other]}).json
    assert (less["team_ids"], less["team_id"]) == ([other], None)
    outside = acme.admin.put(address, {"team_ids": [other], "team_id": one})
    assert outside.json["errors"] == {"team_id": ["The main team is one of 'team_ids'."]}
    theirs = acme.admin.put(address, {"team_ids": [str(neighbour.sales.team_id)]})
    assert theirs.status_code == 422
    moved = acme.admin.patch(f"/users/{user.id}", {"team_id": one}).json
    assert (sorted(moved["team_ids"]), moved["team_id"]) == (sorted([one, other]), one)
