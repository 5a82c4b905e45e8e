"""Whoever says who is in which team, or over it, gives nobody more of its records than they reach themselves."""

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from sqlalchemy import or_, select

from tenants.access.caller import Caller, acting
from tenants.access.ownership import effective
from tenants.access.permissions import Reach, registered
from tenants.foundation.errors import NotAllowed, NotSignedIn
from tenants.identity.holding import has_role, roles_of
from tenants.identity.models import RecordShare, Role, Team, TeamMember, TeamRole, User
from tenants.identity.standings import standing_of
from tenants.isolation.door import db

MOST_NAMED = 10


def must_reach_as_they_would(user_id: UUID, team_ids: Collection[UUID]) -> None:
    """Before a user is put into teams, or over them. Raises NotAllowed when they would reach what the caller doesn't.

    What counts is the caller's own reach, whichever key they use: directories put people into teams with a key that
    reads nothing.
    """
    if acting().caller.everything or not team_ids:
        return
    of_teams = select(TeamRole.role_id).where(TeamRole.team_id.in_(team_ids))
    roles = [*db().scalars(roles_of(user_id)), *db().scalars(select(Role).where(Role.id.in_(of_teams)))]
    rights, mine = merged(roles), _person()
    lacking = _beyond_by(mine, rights, team_ids)
    shared = select(RecordShare.resource).where(RecordShare.team_id.in_(team_ids)).distinct()
    names = {f"{each}:{action}" for each in db().scalars(shared) for action in ("read", "edit")}
    lacking += [
        name
        for name in sorted(names & rights.keys())
        if rights[name] is not Reach.ALL
        and mine.reach(name) is not Reach.ALL
        and not {*team_ids} <= {*mine.teams}
    ]
    _refuse(lacking)


def must_reach_by(roles: Iterable[Role], team_ids: Collection[UUID]) -> None:
    """Before these roles are given to somebody who is in these teams. Raises NotAllowed as the above does."""
    if not acting().caller.everything and (rights := merged(roles)):
        _refuse(_beyond_by(_person(), rights, team_ids))


def must_reach_as_those_above_would(moved: Collection[UUID], above: Collection[UUID]) -> None:
    """Before teams come below others, whose people may reach down to them. Raises NotAllowed as the above does."""
    if acting().caller.everything or not above:
        return
    in_them = or_(
        User.id.in_(select(TeamMember.user_id).where(TeamMember.team_id.in_(above))),
        User.id.in_(select(Team.manager_id).where(Team.id.in_(above), Team.manager_id.is_not(None))),
    )
    reaching = [each for each in db().scalars(select(Role)) if Reach.SUBTEAMS in merged([each]).values()]
    held = [
        each
        for each in reaching
        if db().scalar(select(User.id).where(in_them, has_role(Role.id == each.id)).limit(1))
    ]
    rights = {
        name: reach for each in held for name, reach in merged([each]).items() if reach is Reach.SUBTEAMS
    }
    _refuse(_beyond(_person(), rights, {Reach.SUBTEAMS}, moved))


def merged(roles: Iterable[Role]) -> dict[str, Reach]:
    """What these roles give together, each permission with its widest reach."""
    rights: dict[str, Reach] = {}
    known = registered()
    for role in roles:
        for name, said in role.permissions.items():
            if name in known and said in list(Reach):
                reach = effective(known[name], Reach(said))
                rights[name] = rights.get(name, reach) | reach
    return rights


def reaches(caller: Caller, name: str, team_id: UUID) -> bool:
    """Whether a caller reaches all records of a team with a permission."""
    reach = caller.reach(name)
    within = {Reach.TEAM: caller.teams, Reach.SUBTEAMS: caller.subteams}
    return reach is Reach.ALL or (reach in within and team_id in within[reach])


def with_all_below(team_ids: Collection[UUID]) -> set[UUID]:
    return {*team_ids, *db().scalars(select(Team.id).where(Team.path.overlap(list(team_ids))))}


def _person() -> Caller:
    """Whoever is at work, with all that they have themselves. Raises NotSignedIn when they left meanwhile."""
    user_id = acting().caller.user_id
    found = standing_of(user_id, "session", None) if user_id else None
    if found is None:
        raise NotSignedIn
    return found


def _beyond_by(caller: Caller, rights: Mapping[str, Reach], team_ids: Collection[UUID]) -> list[str]:
    lacking = _beyond(caller, rights, {Reach.TEAM}, team_ids)
    if Reach.SUBTEAMS in rights.values():
        lacking += _beyond(caller, rights, {Reach.SUBTEAMS}, with_all_below(team_ids))
    return lacking


def _beyond(
    caller: Caller, rights: Mapping[str, Reach], by: Collection[Reach], team_ids: Collection[UUID]
) -> list[str]:
    return [
        name
        for name, reach in sorted(rights.items())
        if reach in by and not all(reaches(caller, name, each) for each in team_ids)
    ]


def _refuse(lacking: Collection[str]) -> None:
    if lacking:
        names = sorted({*lacking})
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        raise NotAllowed(
            "They would reach records of teams that you don't reach yourself, by "
            f"{', '.join(names[:MOST_NAMED])}{more}.",
            code="beyond_own_rights",
        )
