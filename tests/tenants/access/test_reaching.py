"""The one rule, said twice: the where-clause and the decision in memory agree on whatever records and callers."""

import random
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import false, select

from crm.contacts.models import Contact
from tenants.access.caller import SYSTEM, Caller, act_as
from tenants.access.permissions import Reach
from tenants.access.reaching import Decision, decide, narrowed, standing_values
from tenants.identity.models import Team, User
from tenants.isolation.door import db, inside
from tests.workspace import Workspace

RECORDS, CALLERS = 60, 300


def scattered(dice: random.Random, users: Sequence[UUID], teams: Sequence[UUID]) -> list[Contact]:
    """Records of anybody and nobody."""
    return [
        Contact(
            last_name=f"Number {number}",
            source="system",
            owner_id=dice.choice([None, *users]),
            team_id=dice.choice([None, *teams]),
        )
        for number in range(RECORDS)
    ]


def somebody(
    dice: random.Random, users: Sequence[UUID], teams: Sequence[UUID], records: Sequence[Any]
) -> Caller:
    """A caller with any reach, in any teams, with any shares."""
    mine = tuple(dice.sample(teams, dice.randint(0, len(teams))))
    below = tuple({*mine, *dice.sample(teams, dice.randint(0, len(teams)))})
    permissions = ("contacts:read", "contacts:edit")
    return Caller(
        kind="session",
        name="Somebody",
        user_id=dice.choice(users),
        teams=mine,
        subteams=below,
        rights={each: dice.choice(list(Reach)) for each in permissions if dice.random() < 0.9},
        shares={
            each: tuple(record.id for record in dice.sample(records, dice.randint(0, 5)))
            for each in permissions
            if dice.random() < 0.5
        },
    )


@pytest.mark.promise("0-19", "1-26")
def test_sql_and_memory_agree(acme: Workspace, neighbour: Workspace) -> None:
    dice = random.Random(3)  # noqa: S311 - no secret
    with inside(acme.home):
        act_as(SYSTEM)
        users = list(db().scalars(select(User.id).order_by(User.id)))
        teams = list(db().scalars(select(Team.id).order_by(Team.id)))
        records = scattered(dice, users, teams)
        db().add_all(records)
        db().flush()
        ids = [each.id for each in records]
        seen: set[Decision] = set()
        for _ in range(CALLERS):
            caller = somebody(dice, users, teams, records)
            for permission in ("contacts:read", "contacts:edit"):
                decisions = {each.id: decide(caller, permission, each) for each in records}
                seen.update(decisions.values())
                assert _in_sql(caller, permission, ids) == {
                    record for record, decision in decisions.items() if decision.allowed
                }
    assert seen == set(Decision) - {Decision.OWNERLESS}
    with inside(neighbour.home):
        act_as(SYSTEM)
        for _ in range(10):
            assert _in_sql(somebody(dice, users, teams, records), "contacts:read", ids) == set()


def _in_sql(caller: Caller, permission: str, ids: Sequence[UUID]) -> set[UUID]:
    extent = caller.extent(permission)
    condition = narrowed(Contact, extent) if extent else false()
    query = select(Contact.id).where(Contact.id.in_(ids))
    if condition is not None:
        query = query.where(condition).params(**standing_values(caller))
    return set(db().scalars(query))


def test_nobody_owns_a_user(acme: Workspace, neighbour: Workspace) -> None:
    for workspace in (acme, neighbour):
        with inside(workspace.home):
            act_as(SYSTEM)
            user = db().get_one(User, workspace.sales.user_id)
            caller = Caller("session", "Somebody", rights={"users:read": Reach.OWN})
            assert decide(caller, "users:read", user) is Decision.OWNERLESS
            assert narrowed(User, caller.extent("users:read")) is None


def test_callers_without_shares_share_one_extent() -> None:
    one = Caller("session", "One", rights={"contacts:read": Reach.TEAM})
    other = Caller(
        "session", "Other", rights={"contacts:read": Reach.TEAM}, shares={"deals:read": (UUID(int=1),)}
    )
    shared = Caller(
        "session", "Third", rights={"contacts:read": Reach.TEAM}, shares={"contacts:read": (UUID(int=1),)}
    )
    everything = Caller("session", "Boss", rights={"contacts:read": Reach.ALL}, shares=shared.shares)
    assert one.extent("contacts:read") == other.extent("contacts:read")
    assert shared.extent("contacts:read") not in (one.extent("contacts:read"), None)
    assert everything.extent("contacts:read").shared is None
